#file src/send/control_campaign.c
#target orders
#why a campaign's state is answered twice
s/^(\t)link_reply\(link, (.*)\);$/\1link_reply(link, \2); link_reply(link, json_object());/
