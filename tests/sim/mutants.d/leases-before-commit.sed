#file src/delivery/planner.c
#why rows are handed out before the commit that says so
/^\tplanner_hand_out\(planner\);/d
s/^\tok = planner->failed_by == STORE_OK \&\& planner_commit/\tplanner_hand_out(planner);\n&/
