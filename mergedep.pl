#!/usr/bin/perl
# Merge the dependency files that the compilers write (-MD) into one that make includes.
#
#	mergedep.pl OUT FILE.d...
#
# Each header also gets an empty rule of its own, so that one that has vanished makes what
# included it be compiled again instead of stopping make. An object whose source has vanished
# is left out. OUT is written only if that changes it.

use strict;
use warnings;

my ($out, @inputs) = @ARGV;
die "usage: mergedep.pl OUT FILE.d...\n" unless defined $out;

# The text of a file, or undef if it cannot be read.
sub slurp {
	my ($name) = @_;
	open(my $file, '<', $name) or return undef;
	local $/;
	return scalar <$file> // '';
}

my (%rules, %headers);
for my $input (@inputs) {
	my $text = slurp($input) // next;
	$text =~ s/\\\r?\n/ /g;
	for my $line (split /\n/, $text) {
		# The colon that ends the targets, not the one of a path like c:/x.
		my ($target, $rest) = $line =~ /^\s*(\S.*?)\s*:(?:\s+(.*))?$/ or next;
		my ($source, @includes) = grep { length } split /(?<!\\)\s+/, $rest // '';
		next unless defined $source and -e $source =~ s/\\ / /gr;
		$rules{$target} = join ' ', $source, @includes;
		$headers{$_} = 1 for @includes;
	}
}

my $merged = join '', map { "$_: $rules{$_}\n" } sort keys %rules;
$merged .= join '', map { "$_:\n" } sort keys %headers;

my $old = slurp($out);
exit 0 if defined $old ? $old eq $merged : $merged eq '';

my $new = "$out.$$";
open(my $file, '>', $new) or die "mergedep.pl: $new: $!\n";
print $file $merged;
close($file) or die "mergedep.pl: $new: $!\n";
rename($new, $out) or die "mergedep.pl: $out: $!\n";
