#file src/init/network_lease.c
#target network_lease
#why a DHCP server writes a line of resolv.conf by its domain
s/ && c != '_'\)/ \&\& c != '_' \&\& c != ' ')/
