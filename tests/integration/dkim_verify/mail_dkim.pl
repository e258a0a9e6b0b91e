#!/usr/bin/perl
# Verifies messages with Mail::DKIM: `mail_dkim.pl KEYS < LIST`. KEYS has "name<TAB>record" lines and
# stands in for the DNS; LIST names one message file a line. Prints "file<TAB>result" with the result
# of the file's one signature: pass, fail, invalid or unsupported.
use strict;
use warnings;
use Mail::DKIM::DNS;
use Mail::DKIM::Verifier;
use Net::DNS;

package LocalResolver {
	sub new { my ($class, %records) = @_; return bless {records => \%records}, $class }
	sub errorstring { return 'NOERROR' }

	sub send {
		my ($self, $name, $type) = @_;
		my $packet = Net::DNS::Packet->new($name, $type, 'IN');
		my $record = $self->{records}{lc $name};
		$packet->header->qr(1);
		if (!defined $record) {
			$packet->header->rcode('NXDOMAIN');
		} elsif ($type eq 'TXT') {
			my $rr = Net::DNS::RR->new(owner => $name, type => 'TXT', ttl => 60,
				txtdata => [unpack '(a255)*', $record]);
			$packet->push(answer => $rr);
		}
		return $packet;
	}
}

my %records;
open my $keys, '<', $ARGV[0] or die "$ARGV[0]: $!\n";
while (<$keys>) {
	chomp;
	my ($name, $record) = split /\t/, $_, 2;
	$records{lc $name} = $record;
}
close $keys;
Mail::DKIM::DNS::resolver(LocalResolver->new(%records));

while (my $path = <STDIN>) {
	chomp $path;
	open my $file, '<:raw', $path or die "$path: $!\n";
	my $verifier = Mail::DKIM::Verifier->new;
	local $/;
	$verifier->PRINT(scalar <$file>);
	$verifier->CLOSE;
	close $file;
	my ($signature) = $verifier->signatures;
	my $result = 'none';
	if ($signature) {
		$result = $signature->algorithm =~ /^rsa-/ ? $verifier->result : 'unsupported';
	}
	print "$path\t$result\n";
}
