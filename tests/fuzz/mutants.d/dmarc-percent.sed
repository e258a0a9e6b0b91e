#file src/dns/dmarc.c
#target dmarc
#why a share beyond 100 per cent counts
s/ \|\| number > 100\)/)/
