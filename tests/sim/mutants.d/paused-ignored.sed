#file src/delivery/planner_lease.c
#why due rows of paused campaigns are lent
s/campaign->record.state != CAMPAIGN_RUNNING/campaign->record.state == CAMPAIGN_DONE/
