#file src/smtp/server_content.c
#target smtp_server
#why a CR at the end of a packet is lost
s/^\t\tserver->text_state = TEXT_CR;/\t\tserver->text_state = TEXT_LINE;/
