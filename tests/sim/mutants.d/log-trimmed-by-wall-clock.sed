#file src/delivery/planner.c
#why a wall clock far ahead drops the delivery log
s/planner->time\.age_ms - planner->config->queue\.log_keep_ms/planner->time.wall_ms - planner->config->queue.log_keep_ms/
