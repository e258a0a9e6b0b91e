#file src/delivery/planner_domain.c
#why rows that wait for DNS are not placed when the transaction fails
s/^\t\t\tplanner_rows_again\(planner, refs\);/\t\t\t(void)planner_rows_again;/; s/planner_row_wait\(planner, \&planner->again, \&ref\);/planner_row_wait(planner, refs, \&ref);/
