#file src/delivery/planner_clock.c
#why a resend gets another Date when the clock was set back
s/\(wrong \&\& !\(row->flags \& ROW_WAS_IN_DOUBT\)\)/wrong/
