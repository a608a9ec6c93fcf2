# Reads and edits ELF files (64 bit, little endian): interpreter, RPATH and RUNPATH, NEEDED, SONAME, executable stack.
# A module for relocate.pl, and a program with the options of patchelf that builds use.
#
# Editing never moves what is there. New strings go to the end of the file, into one read-only PT_LOAD segment of their own,
# whose program header takes the place of one that nobody needs at run time (PT_GNU_PROPERTY, else PT_NOTE). Nothing is
# padded, so a file grows by its strings only, and non-PIE executables stay what they are.
package ElfEdit;
use strict;
use warnings;

use constant {
    PT_LOAD => 1, PT_DYNAMIC => 2, PT_INTERP => 3, PT_NOTE => 4, PT_PHDR => 6,
    PT_GNU_STACK => 0x6474e551, PT_GNU_PROPERTY => 0x6474e553,
    DT_NULL => 0, DT_NEEDED => 1, DT_STRTAB => 5, DT_STRSZ => 10, DT_SONAME => 14, DT_RPATH => 15, DT_RUNPATH => 29,
    PF_X => 1, PF_R => 4,
};

# Begins the segment that we add, so that a second edit finds it and replaces it instead of adding another.
my $mark = "\0elfedit\0\0\0\0\0\0\0\0";

# The file as an object; undef if it is no ELF file that can be edited (another class, no program headers).
sub load {
    my ($class, $path) = @_;
    open(my $in, '<:raw', $path) or die "$path: $!\n";
    my $head = '';
    read($in, $head, 64);
    return undef unless length($head) == 64 && substr($head, 0, 6) eq "\x7fELF\2\1";
    my $self = bless { path => $path }, $class;
    my $rest = do { local $/; <$in> };
    $self->{data} = $head . ($rest // '');
    close $in;
    my ($phoff, $shoff) = unpack('Q<Q<', substr($head, 32, 16));
    my ($phentsize, $phnum, $shentsize, $shnum) = unpack('S<4', substr($head, 54, 8));
    return undef if $phnum == 0 || $phentsize != 56;
    @$self{qw(phoff phnum shoff shnum)} = ($phoff, $phnum, $shoff, $shentsize == 64 ? $shnum : 0);
    my @headers;
    for my $i (0 .. $phnum - 1) {
        my %h;
        @h{qw(type flags offset vaddr paddr filesz memsz align)} = unpack('L<2Q<6', substr($self->{data}, $phoff + 56 * $i, 56));
        push @headers, \%h;
    }
    $self->{headers} = \@headers;
    my ($dynamic) = grep { $_->{type} == PT_DYNAMIC } @headers;
    $self->{dynamic} = $dynamic;
    if ($dynamic) {
        my @tags;
        for (my $at = 0; $at + 16 <= $dynamic->{filesz}; $at += 16) {
            my ($tag, $value) = unpack('q<Q<', substr($self->{data}, $dynamic->{offset} + $at, 16));
            push @tags, [$tag, $value];
        }
        # What follows the first DT_NULL is spare room.
        my $used = 0;
        $used++ while $used < @tags && $tags[$used][0] != DT_NULL;
        $self->{spare} = @tags - $used;
        $self->{tags} = [@tags[0 .. $used - 1]];
        $self->{slots} = scalar @tags;
        my ($strtab) = map { $_->[1] } grep { $_->[0] == DT_STRTAB } @{ $self->{tags} };
        my ($strsz) = map { $_->[1] } grep { $_->[0] == DT_STRSZ } @{ $self->{tags} };
        return undef unless defined $strtab && defined $strsz;
        $self->{strtabAddress} = $strtab;
        $self->{strtab} = substr($self->{data}, $self->offset_of($strtab), $strsz);
    }
    my ($interp) = grep { $_->{type} == PT_INTERP } @headers;
    if ($interp) {
        $self->{interp} = $interp;
        ($self->{interpreter} = substr($self->{data}, $interp->{offset}, $interp->{filesz})) =~ s/\0.*//s;
    }
    return $self;
}

sub offset_of {
    my ($self, $address) = @_;
    for my $h (@{ $self->{headers} }) {
        return $address - $h->{vaddr} + $h->{offset}
          if $h->{type} == PT_LOAD && $address >= $h->{vaddr} && $address < $h->{vaddr} + $h->{filesz};
    }
    die "$self->{path}: the address $address is in no segment\n";
}

sub is_dynamic { return defined $_[0]{dynamic} }
sub interpreter { return $_[0]{interpreter} }

sub string_at {
    my ($self, $offset) = @_;
    my $end = index($self->{strtab}, "\0", $offset);
    return substr($self->{strtab}, $offset, $end - $offset);
}

# The strings of all dynamic entries with the given tag.
sub strings {
    my ($self, $tag) = @_;
    return map { $self->string_at($_->[1]) } grep { $_->[0] == $tag } @{ $self->{tags} // [] };
}
sub needed { return $_[0]->strings(DT_NEEDED) }
sub soname { return ($_[0]->strings(DT_SONAME))[0] }
sub rpath { my $self = shift; return ($self->strings(DT_RUNPATH), $self->strings(DT_RPATH))[0] }

# The offset of a string in the string table, which grows if need be.
sub intern {
    my ($self, $text) = @_;
    my $found = index("\0" . $self->{strtab}, "\0$text\0");
    return $found if $found >= 0 && $found + length($text) < length($self->{strtab});
    my $at = length $self->{strtab};
    $self->{strtab} .= "$text\0";
    $self->{grown} = 1;
    return $at;
}

sub set_interpreter { my ($self, $path) = @_; $self->{interpreter} = $path; $self->{newInterpreter} = 1; }

# An empty path removes the entry. `force` makes it a DT_RPATH, which libraries that are loaded later inherit.
sub set_rpath {
    my ($self, $path, $force) = @_;
    my @kept = grep { $_->[0] != DT_RPATH && $_->[0] != DT_RUNPATH } @{ $self->{tags} };
    push @kept, [$force ? DT_RPATH : DT_RUNPATH, $self->intern($path)] if $path ne '';
    $self->{tags} = \@kept;
}

sub set_soname {
    my ($self, $name) = @_;
    $self->{tags} = [(grep { $_->[0] != DT_SONAME } @{ $self->{tags} }), [DT_SONAME, $self->intern($name)]];
}

# Calls back with each NEEDED name; what it answers takes its place, undef removes it.
sub map_needed {
    my ($self, $change) = @_;
    my @tags;
    for my $entry (@{ $self->{tags} }) {
        if ($entry->[0] == DT_NEEDED) {
            my $old = $self->string_at($entry->[1]);
            my $new = $change->($old);
            next unless defined $new;
            $entry = [DT_NEEDED, $self->intern($new)] if $new ne $old;
        }
        push @tags, $entry;
    }
    $self->{tags} = \@tags;
}

sub add_needed {
    my ($self, $name) = @_;
    return if grep { $_ eq $name } $self->needed;
    unshift @{ $self->{tags} }, [DT_NEEDED, $self->intern($name)];
}

# DT_RUNPATH becomes DT_RPATH, which the executable's own RPATH still complements.
sub runpath_to_rpath {
    my ($self) = @_;
    for my $entry (@{ $self->{tags} // [] }) { $entry->[0] = DT_RPATH if $entry->[0] == DT_RUNPATH }
}

sub executable_stack {
    my ($self) = @_;
    return scalar grep { $_->{type} == PT_GNU_STACK && $_->{flags} & PF_X } @{ $self->{headers} };
}
sub clear_executable_stack {
    my ($self) = @_;
    for my $h (@{ $self->{headers} }) { $h->{flags} &= ~PF_X if $h->{type} == PT_GNU_STACK }
}

sub round_up { my ($value, $unit) = @_; return int(($value + $unit - 1) / $unit) * $unit }

# Writes the file back, keeping its inode and mode.
sub save {
    my ($self) = @_;
    my $data = \$self->{data};
    my @headers = @{ $self->{headers} };
    my @loads = sort { $a->{vaddr} <=> $b->{vaddr} } grep { $_->{type} == PT_LOAD } @headers;
    my $last = $loads[-1];
    my $ours = $last && substr($$data, $last->{offset}, length $mark) eq $mark ? $last : undef;
    my $moveStrings = $self->{grown};
    my $moveInterp = $self->{newInterpreter};
    if ($ours) {
        # All that lives in our segment is written anew.
        my $within = sub { $_[0] >= $ours->{vaddr} && $_[0] < $ours->{vaddr} + $ours->{memsz} };
        $moveStrings ||= $self->{dynamic} && $within->($self->{strtabAddress});
        $moveInterp ||= $self->{interp} && $within->($self->{interp}{vaddr});
    }
    if ($moveStrings || $moveInterp) {
        my $segment = $ours;
        my $start;
        if ($ours && $ours->{offset} + $ours->{filesz} == length $$data) {
            $start = $ours->{offset};
            substr($$data, $start) = '';
        } else {
            $$data .= "\0" x (round_up(length $$data, 16) - length $$data);
            $start = length $$data;
            my ($end, $align) = (0, 0x1000);
            for my $h (@loads) {
                my $after = $h->{vaddr} + $h->{memsz};
                $end = $after if $after > $end;
                $align = $h->{align} if $h->{align} > $align;
            }
            my ($spare) = (
                (grep { $_->{type} == PT_GNU_PROPERTY } @headers),
                (grep { $_->{type} == PT_NOTE } @headers),
            );
            die "$self->{path}: no program header to spare\n" unless $spare;
            $segment = {
                type => PT_LOAD, flags => PF_R, align => $align, offset => $start,
                vaddr => round_up($end, $align) + $start % $align,
            };
            # Segments must stand in the order of their addresses.
            my @ordered;
            for my $h (@headers) {
                push @ordered, $h unless $h == $spare;
                push @ordered, $segment if $h == $last;
            }
            @headers = @ordered;
        }
        my $blob = $mark;
        my %moved;
        if ($moveStrings) {
            my $address = $segment->{vaddr} + length $blob;
            $moved{ $self->{strtabAddress} } = [$address, length $self->{strtab}];
            for my $entry (@{ $self->{tags} }) {
                $entry->[1] = $address if $entry->[0] == DT_STRTAB;
                $entry->[1] = length $self->{strtab} if $entry->[0] == DT_STRSZ;
            }
            $self->{strtabAddress} = $address;
            $blob .= $self->{strtab};
        }
        if ($moveInterp) {
            my $interp = $self->{interp} or die "$self->{path}: has no interpreter\n";
            my $text = "$self->{interpreter}\0";
            my $address = $segment->{vaddr} + length $blob;
            $moved{ $interp->{vaddr} } = [$address, length $text];
            @$interp{qw(offset vaddr paddr filesz memsz)} =
              ($start + length $blob, $address, $address, length $text, length $text);
            $blob .= $text;
        }
        @$segment{qw(paddr filesz memsz)} = ($segment->{vaddr}, length $blob, length $blob);
        $$data .= $blob;
        # Section headers are for tools only, but linkers and readelf are tools.
        for my $i (0 .. $self->{shnum} - 1) {
            my $at = $self->{shoff} + 64 * $i;
            last if $at + 64 > $start;
            my ($flags, $address) = unpack('Q<2', substr($$data, $at + 8, 16));
            next unless $flags & 2 && $moved{$address};
            my ($new, $size) = @{ $moved{$address} };
            substr($$data, $at + 16, 24) = pack('Q<3', $new, $start + $new - $segment->{vaddr}, $size);
        }
    }
    if ($self->{dynamic}) {
        my @tags = @{ $self->{tags} };
        # Some linkers leave no spare room. The number of relative relocations (DT_RELACOUNT, DT_RELCOUNT) only saves time.
        @tags = grep { $_->[0] != 0x6ffffff9 && $_->[0] != 0x6ffffffa } @tags if @tags >= $self->{slots};
        # One DT_NULL must remain at the end.
        die "$self->{path}: no room for another dynamic entry\n" if @tags >= $self->{slots};
        push @tags, [DT_NULL, 0] while @tags < $self->{slots};
        substr($$data, $self->{dynamic}{offset}, 16 * $self->{slots}) = pack('(q<Q<)*', map { @$_ } @tags);
    }
    substr($$data, $self->{phoff}, 56 * $self->{phnum}) =
      pack('(L<2Q<6)*', map { @$_{qw(type flags offset vaddr paddr filesz memsz align)} } @headers);
    open(my $out, '+<:raw', $self->{path}) or die "$self->{path}: $!\n";
    truncate($out, 0);
    print {$out} $$data or die "$self->{path}: $!\n";
    close $out or die "$self->{path}: $!\n";
}

# ---- the program

sub usage { die "usage: patchelf [options] FILE...\n" }

sub main {
    my @arguments = @_;
    my (@actions, @files, $force, $output, @allowed);
    while (@arguments) {
        my $option = shift @arguments;
        if ($option eq '--force-rpath') { $force = 1 }
        elsif ($option eq '--version') { print "patchelf 0.18.0 (d2n elf-edit)\n"; return 0 }
        elsif ($option eq '--output') { $output = shift @arguments }
        elsif ($option eq '--allowed-rpath-prefixes') { @allowed = split /:/, shift @arguments }
        elsif ($option =~ /^--(page-size|set-os-abi|replace-symbol)$/) { shift @arguments }
        elsif ($option =~ /^--(no-default-lib|no-sort|no-clobber-old-sections|debug)$/) { }
        elsif ($option =~ /^--(print-interpreter|print-rpath|print-needed|print-soname|print-execstack|remove-rpath|shrink-rpath|clear-execstack|runpath-to-rpath)$/) { push @actions, [$1] }
        elsif ($option =~ /^--(set-interpreter|interpreter|set-rpath|add-rpath|add-needed|remove-needed|set-soname)$/) { push @actions, [$1, shift @arguments] }
        elsif ($option eq '--replace-needed') { push @actions, ['replace-needed', shift @arguments, shift @arguments] }
        elsif ($option =~ /^-/) { die "patchelf: unknown option $option\n" }
        else { push @files, $option }
    }
    usage() unless @files && @actions;
    for my $file (@files) {
        if (defined $output) {
            open(my $in, '<:raw', $file) or die "patchelf: $file: $!\n";
            open(my $copy, '>:raw', $output) or die "patchelf: $output: $!\n";
            local $/;
            print {$copy} <$in>;
            chmod((stat $in)[2] & 07777, $copy);
            close $copy;
            $file = $output;
        }
        my $elf = ElfEdit->load($file) or die "patchelf: $file: not an ELF file that can be edited\n";
        my $changed = 0;
        for my $action (@actions) {
            my ($what, $value, $other) = @$action;
            if ($what eq 'print-interpreter') {
                defined $elf->interpreter or die "patchelf: $file: cannot find section '.interp'; it has no interpreter\n";
                print $elf->interpreter, "\n";
                next;
            }
            die "patchelf: $file: is not dynamically linked\n" unless $elf->is_dynamic || $what eq 'print-execstack';
            if ($what eq 'print-rpath') { print $elf->rpath // '', "\n" }
            elsif ($what eq 'print-needed') { print "$_\n" for $elf->needed }
            elsif ($what eq 'print-soname') { print $elf->soname // '', "\n" }
            elsif ($what eq 'print-execstack') { print 'execstack: ', ($elf->executable_stack ? 'X' : '-'), "\n" }
            else {
                $changed = 1;
                if ($what =~ /interpreter$/) { $elf->set_interpreter($value) }
                elsif ($what eq 'set-rpath') { $elf->set_rpath($value, $force) }
                elsif ($what eq 'add-rpath') { $elf->set_rpath(join(':', grep { ($_ // '') ne '' } $elf->rpath, $value), $force) }
                elsif ($what eq 'remove-rpath') { $elf->set_rpath('') }
                elsif ($what eq 'shrink-rpath') { shrink($elf, $force, @allowed) }
                elsif ($what eq 'add-needed') { $elf->add_needed($value) }
                elsif ($what eq 'remove-needed') { $elf->map_needed(sub { $_[0] eq $value ? undef : $_[0] }) }
                elsif ($what eq 'replace-needed') { $elf->map_needed(sub { $_[0] eq $value ? $other : $_[0] }) }
                elsif ($what eq 'set-soname') { $elf->set_soname($value) }
                elsif ($what eq 'clear-execstack') { $elf->clear_executable_stack }
                elsif ($what eq 'runpath-to-rpath') { $elf->runpath_to_rpath }
            }
        }
        $elf->save if $changed;
    }
    return 0;
}

# Keeps the directories that a needed library is found in, each library in its first.
sub shrink {
    my ($elf, $force, @allowed) = @_;
    my $path = $elf->rpath;
    return unless defined $path;
    my %missing = map { $_ => 1 } $elf->needed;
    my @kept;
    for my $directory (split /:/, $path) {
        next if @allowed && !grep { index($directory, $_) == 0 } @allowed;
        if ($directory !~ m{^/}) { push @kept, $directory; next }    # $ORIGIN
        my @found = grep { -e "$directory/$_" } keys %missing;
        next unless @found;
        delete @missing{@found};
        push @kept, $directory;
    }
    my $new = join ':', @kept;
    my $isRpath = grep { $_->[0] == DT_RPATH } @{ $elf->{tags} };
    $elf->set_rpath($new, $force || $isRpath) if $new ne $path;
}

exit main(@ARGV) unless caller;
1;
