#file src/campaign/intake_seen.c
#target intake
#why an address that came before is taken again
s/return SEEN_BEFORE;/return SEEN_NEW;/
