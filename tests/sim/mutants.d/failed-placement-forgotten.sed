#file src/delivery/planner_domain.c
#why a row that waits to be placed is forgotten when the transaction fails
/^\tplanner_row_wait\(planner, &planner->again, ref\);/d
