#file src/delivery/planner_recover.c
#target recovery
#why what recovery counts is not written
s/planner_write_campaigns\(planner\) &&/true \&\&/
