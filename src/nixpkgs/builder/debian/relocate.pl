# Turns the unpacked contents of .debs into a store path that needs nothing outside of the store. Called by relocate.sh:
#   layout  moves $out/.unpacked into place: /usr, /bin, /sbin, /lib merged, the multiarch folders flattened
#   fix     symbolic links, ELF files, .pc and CMake files, scripts' first lines
#   finish  what dependants must know, no empty folders
# Environment: out deps glibc system triple loaderName keepMultiarch drop shells forceRpath extraRpath selfGlibc neededElsewhere
#   lenient propagated elfEditor
use strict;
use warnings;
require $ENV{elfEditor};

my $out = $ENV{out};
my $triple = $ENV{triple};
my $loader = $ENV{loaderName};
my $glibc = $ENV{selfGlibc} ? $out : $ENV{glibc};
my @deps = split ' ', $ENV{deps} // '';
my $keepMultiarch = $ENV{keepMultiarch};
my %warned;

sub note { print STDERR "relocate: $_[0]\n" unless $warned{ $_[0] }++ }

sub entries {
    my ($folder) = @_;
    opendir(my $handle, $folder) or die "$folder: $!\n";
    my @names = sort grep { $_ ne '.' && $_ ne '..' } readdir $handle;
    closedir $handle;
    return @names;
}

# Calls back with every file and link below a folder, folders themselves excepted, in a fixed order.
sub walk {
    my ($folder, $visit) = @_;
    for my $name (entries($folder)) {
        my $path = "$folder/$name";
        if (-d $path && !-l $path) { walk($path, $visit) } else { $visit->($path) }
    }
}

sub remove_tree {
    my ($path) = @_;
    if (-d $path && !-l $path) {
        chmod 0755, $path;
        remove_tree("$path/$_") for entries($path);
        rmdir $path or die "$path: $!\n";
    } elsif (-l $path || -e _) {
        unlink $path or die "$path: $!\n";
    }
}

sub make_folders {
    my ($path) = @_;
    return if -d $path;
    (my $parent = $path) =~ s{/[^/]+$}{};
    make_folders($parent);
    mkdir $path, 0755 or die "$path: $!\n";
}

sub slurp {
    my ($path) = @_;
    open(my $in, '<:raw', $path) or die "$path: $!\n";
    local $/;
    return scalar <$in>;
}

# Rewrites a file in place if the text differs; the mode stays.
sub rewrite {
    my ($path, $text) = @_;
    open(my $handle, '+<:raw', $path) or die "$path: $!\n";
    truncate $handle, 0;
    print {$handle} $text;
    close $handle or die "$path: $!\n";
}

# Moves the contents of one folder into another. A real file wins over a link of the same name, else the newcomer does.
sub merge {
    my ($from, $to) = @_;
    make_folders($to);
    for my $name (entries($from)) {
        my ($source, $target) = ("$from/$name", "$to/$name");
        if (-d $source && !-l $source) {
            if (-d $target && !-l $target) { merge($source, $target); next }
            remove_tree($target) if -l $target || -e $target;
        } elsif (-l $target || -e $target) {
            next if -l $source && !-l $target;
            remove_tree($target);
        }
        rename $source, $target or die "$source -> $target: $!\n";
    }
    rmdir $from or die "$from: $!\n";
}

sub layout {
    my $root = "$out/.unpacked";
    remove_tree("$root/usr/share/$_") for qw(doc man lintian info bug locale doc-base bash-completion zsh fish);
    remove_tree("$root/$_") for qw(var lib64 usr/lib64 usr/libx32 etc/ld.so.conf etc/ld.so.conf.d etc/init.d etc/cron.d etc/cron.daily etc/default);
    for my $folder (qw(usr/sbin sbin bin)) {
        merge("$root/$folder", "$out/bin") if -d "$root/$folder" && !-l "$root/$folder";
        remove_tree("$root/$folder");
    }
    merge("$root/lib", "$out/lib") if -d "$root/lib" && !-l "$root/lib";
    remove_tree("$root/lib");
    merge("$root/usr", $out) if -d "$root/usr";
    merge("$root/etc", "$out/etc") if -d "$root/etc";
    remove_tree($root);
    unless ($keepMultiarch) {
        for my $folder ("$out/lib", "$out/include") {
            next unless -d "$folder/$triple" && !-l "$folder/$triple";
            rename "$folder/$triple", "$folder/.flat" or die $!;
            merge("$folder/.flat", $folder);
            # Both spellings must resolve: pkg-config files, CMake files and compilers use the long one.
            symlink '.', "$folder/$triple" or die "$folder/$triple: $!\n";
        }
    }
    for my $pattern (split ' ', $ENV{drop} // '') {
        remove_tree($_) for glob "$out/$pattern";
    }
    system_chmod($out);
}

sub system_chmod {
    my ($folder) = @_;
    chmod 0755, $folder;
    for my $name (entries($folder)) {
        my $path = "$folder/$name";
        next if -l $path;
        if (-d _) { system_chmod($path) } else { chmod((-x _ ? 0755 : 0644), $path) }
    }
}

# ---- symbolic links

sub relink { my ($path, $target) = @_; unlink $path; symlink $target, $path or die "$path: $!\n" }
sub there { return -e $_[0] || -l $_[0] }

# A path without `.` and `..`, links in it not looked at.
sub normal {
    my @parts;
    for my $part (split m{/}, $_[0]) {
        next if $part eq '' || $part eq '.';
        if ($part eq '..') { pop @parts } else { push @parts, $part }
    }
    return '/' . join('/', @parts);
}

sub fix_link {
    my ($path) = @_;
    my $target = readlink $path;
    return if index($target, "$out/") == 0;
    (my $folder = $path) =~ s{/[^/]+$}{};
    (my $base = $target) =~ s{^.*/}{};
    if ($target =~ m{^/}) {
        my $inside = $target;
        $inside =~ s{^/usr/}{/};
        $inside =~ s{^/sbin/}{/bin/};
        $inside =~ s{^/lib64/}{/lib/};
        $inside =~ s{^/lib/\Q$triple\E/}{/lib/} unless $keepMultiarch;
        for my $root ($out, @deps) {
            next unless there("$root$inside");
            return relink($path, $folder eq "$out" . ($inside =~ s{/[^/]+$}{}r) ? $base : "$root$inside");
        }
        # /etc/alternatives, /var: made by scripts that never run here.
        note("link to nothing left out: $path -> $target");
        unlink $path;
        return;
    }
    return if -e $path;
    # Flattening took a level away, or moved what was beside the multiarch folder.
    if ($target =~ m{^\.\./(.+)$} && -e "$folder/$1") { return relink($path, $1) }
    # Debian's packages share one tree; here the target is at the same place of another.
    my $inside = normal("$folder/$target");
    for my $root (@deps) {
        return relink($path, $root . substr($inside, length $out)) if index($inside, "$out/") == 0 && -e $root . substr($inside, length $out);
        return relink($path, "$root/lib/$base") if -e "$root/lib/$base";
    }
    return if $ENV{keepDangling};
    note("link to nothing left out: $path -> $target");
    unlink $path;
}

# ---- ELF

my %own;       # base name -> folders in $out that have it
my %private;   # dependency -> base name -> folder, below its lib

sub private_libraries {
    my ($root) = @_;
    return $private{$root} if $private{$root};
    my %found;
    walk("$root/lib", sub { my ($p) = @_; $found{$2} //= $1 if $p =~ m{^(.*)/([^/]+\.so[^/]*)$} }) if -d "$root/lib";
    return $private{$root} = \%found;
}

sub find_library {
    my ($name, $near) = @_;
    for my $folder ($near, "$out/lib") { return $folder if -e "$folder/$name" }
    for my $root (@deps) { return "$root/lib" if -e "$root/lib/$name" }
    return $own{$name}[0] if $own{$name};
    for my $root (@deps) {
        my $folder = private_libraries($root)->{$name};
        return $folder if defined $folder;
    }
    return undef;
}

sub fix_elf {
    my ($path, $problems) = @_;
    my $elf = ElfEdit->load($path) or return;
    return unless $elf->is_dynamic;
    (my $name = $path) =~ s{^.*/}{};
    return if $ENV{selfGlibc} && ($name eq $loader || $name eq 'libc.so.6');
    (my $folder = $path) =~ s{/[^/]+$}{};
    my $interpreter = defined $elf->interpreter;
    my @needed = grep { $_ ne $loader } $elf->needed;
    my (@rpath, %seen);
    for my $library (@needed) {
        my $found = find_library($library, $folder);
        if (!defined $found) {
            if (grep { $_ eq $library } split ' ', $ENV{neededElsewhere} // '') { note("$path: $library is left to others") }
            # A plugin whose library Debian only recommends does not spoil the rest.
            elsif ($ENV{lenient} && $path !~ m{^\Q$out\E/(bin/[^/]+|lib/[^/]+)$}) { note("$path: $library is missing") }
            else { push @$problems, "$path needs $library" }
            next;
        }
        push @rpath, $found unless $seen{$found}++;
    }
    # glibc's own plugins find glibc loaded already.
    @rpath = () if $ENV{selfGlibc} && !$interpreter && !grep { $_ ne 'libc.so.6' } @needed;
    my $changed = 0;
    if ($interpreter) {
        $elf->set_interpreter("$glibc/lib/$loader");
        push @rpath, grep { !$seen{$_}++ } split /:/, $ENV{extraRpath} // '';
        $changed = 1;
    }
    if (@rpath || defined $elf->rpath) {
        $elf->set_rpath(join(':', @rpath), $ENV{forceRpath} && $interpreter);
        $changed = 1;
    }
    $elf->save if $changed;
}

# ---- text

sub fix_pc {
    my ($path) = @_;
    my $text = slurp($path);
    $text =~ s{/usr/lib/\Q$triple\E}{$out/lib}g;
    $text =~ s{/(lib|include)/\Q$triple\E}{/$1}g unless $keepMultiarch;
    $text =~ s{=/usr$}{=$out}mg;
    $text =~ s{([ =IL])/usr/}{$1$out/}g;
    rewrite($path, $text);
}

sub fix_cmake {
    my ($path) = @_;
    my $text = slurp($path);
    my $old = $text;
    # Both kinds of generated files count folders upwards from where they lie, which flattening has changed.
    $text =~ s{get_filename_component\(PACKAGE_PREFIX_DIR "[^"]*" ABSOLUTE\)}{set(PACKAGE_PREFIX_DIR "$out")};
    $text =~ s{(?:^get_filename_component\(_IMPORT_PREFIX [^\n]*\n)+}{set(_IMPORT_PREFIX "$out")\n}mg;
    $text =~ s{/usr/lib/\Q$triple\E}{$out/lib}g;
    $text =~ s{"/usr(/[^"]*)?"}{'"' . $out . ($1 // '') . '"'}ge;
    rewrite($path, $text) if $text ne $old;
}

sub fix_config_script {
    my ($path) = @_;
    my $text = slurp($path);
    my $old = $text;
    $text =~ s{/usr/lib/\Q$triple\E}{$out/lib}g;
    $text =~ s{^(\s*(?:exec_)?prefix=)["']?/usr["']?$}{$1$out}mg;
    $text =~ s{([ ="'IL])/usr/(lib|include|share|bin)\b}{$1$out/$2}g;
    rewrite($path, $text) if $text ne $old;
}

sub fix_shebang {
    my ($path) = @_;
    open(my $in, '<:raw', $path) or die "$path: $!\n";
    my $start = '';
    read $in, $start, 2;
    return unless $start eq '#!';
    close $in;
    my $text = slurp($path);
    my ($line) = $text =~ /^#!([^\n]*)/;
    my @words = split ' ', $line;
    return unless @words;
    my $program = shift @words;
    if ($program =~ m{/env$}) {
        shift @words if @words && $words[0] eq '-S';
        return unless @words;
        $program = shift @words;
    }
    return if index($program, "$out/") == 0;
    (my $name = $program) =~ s{^.*/}{};
    for my $root ($out, @deps, split ' ', $ENV{shells} // '') {
        next unless -x "$root/bin/$name";
        my $new = join ' ', "#!$root/bin/$name", @words;
        substr($text, 0, length($line) + 2) = $new;
        return rewrite($path, $text);
    }
    note("interpreter kept: $path: $line");
}

sub fix {
    my @files;
    my @links;
    walk($out, sub { my ($path) = @_; if (-l $path) { push @links, $path } else { push @files, $path } });
    fix_link($_) for @links;
    walk($out, sub { my ($path) = @_; push @{ $own{$2} }, $1 if $path =~ m{^(.*)/([^/]+\.so[^/]*)$} });
    my @problems;
    for my $path (@files) {
        my $executable = -x $path;
        next if $path =~ /\.(o|a|py|pl|h|hpp|txt|html)$/ && !$executable;
        if ($path =~ /\.pc$/) { fix_pc($path); next }
        if ($path =~ /\.cmake$/) { fix_cmake($path); next }
        my $isLibrary = $path =~ /\.so(\.|$)/;
        next unless $executable || $isLibrary;
        open(my $in, '<:raw', $path) or die "$path: $!\n";
        my $magic = '';
        read $in, $magic, 4;
        close $in;
        if ($magic eq "\x7fELF") { fix_elf($path, \@problems) unless $path =~ /\.o$/ }
        elsif (substr($magic, 0, 2) eq '#!') {
            fix_config_script($path) if $path =~ m{/bin/[^/]*-config$};
            fix_shebang($path);
        }
    }
    if (@problems) {
        print STDERR "relocate: $_\n" for @problems;
        die "libraries are missing that the packages' dependencies do not bring\n";
    }
}

# ---- at the end

sub prune {
    my ($folder) = @_;
    for my $name (entries($folder)) {
        my $path = "$folder/$name";
        prune($path) if -d $path && !-l $path;
    }
    rmdir $folder if $folder ne $out;    # fails, as it should, unless it is empty
}

sub finish {
    prune($out);
    my @propagated = split ' ', $ENV{propagated} // '';
    if (@propagated) {
        make_folders("$out/nix-support");
        open(my $file, '>', "$out/nix-support/propagated-build-inputs") or die $!;
        print {$file} join(' ', @propagated), "\n";
        close $file;
    }
}

my %steps = (layout => \&layout, fix => \&fix, finish => \&finish);
($steps{ $ARGV[0] // '' } // die "relocate.pl: what?\n")->();
