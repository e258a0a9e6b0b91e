#file src/delivery/planner_domain.c
#why a domain that says it takes no mail any more keeps the site that it had
s/^\t\tset_text\(domain, 556, 5, 1, 10, answer->text\);/\t\tnot_found(planner, domain, answer);\n\t\treturn;/
s/^\t\tset_text\(domain, 550, 5, 1, 2, answer->text\);/\t\tnot_found(planner, domain, answer);\n\t\treturn;/
