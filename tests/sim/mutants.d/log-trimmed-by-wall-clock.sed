#file src/delivery/planner_log.c
#why a wall clock far ahead drops the delivery log
s/now_ms = planner->time\.age_ms/now_ms = planner->time.wall_ms/
