#file src/delivery/planner_domain.c
#why a domain that rows want is not asked again
s/if \(is_wanted\(domain\)\) \{/if (domain->state != DOMAIN_READY \&\& is_wanted(domain)) {/
