#file src/delivery/planner_domain.c
#why rows that wait to be placed are forgotten when the transaction fails or is small
/^\tplanner_rows_again\(planner, &waiting\);/d
