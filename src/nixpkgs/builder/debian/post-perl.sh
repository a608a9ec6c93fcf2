# Perl's folders are built in; a wrapper tells it where they are now. Read by relocate.sh as `postFix`. Environment: shells triple
rm -rf etc
libraries=
for folder in "lib/$triple/perl-base" lib/perl-base lib/perl/5.* lib/perl5 share/perl/5.* share/perl5; do
  [ -d "$folder" ] || continue
  case :$libraries: in *":$out/$folder:"*) ;; *) libraries=$libraries${libraries:+:}$out/$folder ;; esac
done
real=$(ls bin/perl5.* | grep -v -- - | head -n 1)
mv "$real" bin/.perl-real
for name in perl "${real##*/}"; do
  rm -f "bin/$name"
  {
    echo "#!$shells/bin/bash"
    echo "export PERL5LIB=\${PERL5LIB:+\$PERL5LIB:}$libraries"
    echo "exec -a perl '$out/bin/.perl-real' \"\$@\""
  } > "bin/$name"
  chmod 755 "bin/$name"
done
bin/perl -MPOSIX -MData::Dumper -MFile::Temp -e 'print "perl $^V\n"'
