#file src/dns/spf.c
#target spf
#why terms that ask DNS are not counted, so a record that includes itself never ends
s/^\t\tspf->lookups\+\+;$/\t\t;/
