#file src/delivery/timekeeper.c
#why after a boot the wall clock says how much older rows are
s/^\tt->age_ms = note->age_ms;/\tt->age_ms = note->age_ms + (away > 0 ? (u64)away : 0);/
