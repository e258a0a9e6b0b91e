#file src/delivery/planner_clock.c
#why a resend has a Date of its own
s/^\treturn row->first_ms;/\treturn wall_ms \/ MS_PER_S * MS_PER_S;/
