#file src/dns/lookup.c
#target mx_lookup
#why an address record may be short
s/if \(result->len\[i\] != length\)/if (result->len[i] > length)/
