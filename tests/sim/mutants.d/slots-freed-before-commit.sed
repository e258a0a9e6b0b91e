#file src/delivery/planner.c
#why journal slots of results are freed before their commit
s/^\tok = planner->failed_by == STORE_OK \&\& planner_commit/\tlist_for_each(n, \&planner->results)\n\t\tatomic_store(\&list_entry(n, struct lease, node)->slot->state, JOURNAL_FREE);\n&/
