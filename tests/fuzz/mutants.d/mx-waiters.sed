#file src/dns/lookup.c
#target mx_lookup
#why those who wait get no answer
s/entry \? mx_entry_hold\(entry\) : NULL/NULL/
