#file src/delivery/planner_recover.c
#why recovery passes over messages whose end was sent
s/state != JOURNAL_DOT_SENT \&\& state != JOURNAL_ANSWERED/state != JOURNAL_ANSWERED/
