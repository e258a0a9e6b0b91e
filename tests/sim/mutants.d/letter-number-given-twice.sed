#file src/delivery/planner_letter.c
#why a letter's number is that of one that was rolled back, whose rows are in memory still
s/number = \+\+campaign->letter_number;/number = campaign->record.domains + 1;/
