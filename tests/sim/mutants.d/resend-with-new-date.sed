#file src/delivery/planner_lease.c
#why a resend has a Date of its own
s/row->first_ms \? row->first_ms : //
