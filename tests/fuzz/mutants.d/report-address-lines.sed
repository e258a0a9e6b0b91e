#file src/smtp/report_bounce.c
#target report
#why an address in front of a paragraph may go over a line's end
s/ && report_is_text\(address\) \? address/ ? address/
