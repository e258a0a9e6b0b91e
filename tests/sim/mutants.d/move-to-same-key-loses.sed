#file src/store/queue_row.c
#why a row that is moved to where it is gets lost
s/const bool stays = row_ref_equal\(from, \&row->ref\);/const bool stays = from == \&row->ref;/
