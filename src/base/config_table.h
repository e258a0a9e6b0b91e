/* Private to config*.c: every option of the file, by section. */
#ifndef BASE_CONFIG_TABLE_H
#define BASE_CONFIG_TABLE_H

#include "base/config_file.h"

extern const struct config_section config_section_root;
extern const struct config_section config_section_metrics;
extern const struct config_section config_section_dns;
extern const struct config_section config_section_queue;
extern const struct config_section config_section_retry;
extern const struct config_section config_section_retry_class;
extern const struct config_section config_section_suppression;
extern const struct config_section config_section_customer;
extern const struct config_section config_section_address;
extern const struct config_section config_section_pool;
extern const struct config_section config_section_dkim;
extern const struct config_section config_section_site;
extern const struct config_section config_section_route;
extern const struct config_section config_section_reply;
extern const struct config_section config_section_receive;
extern const struct config_section config_section_web;
extern const struct config_section config_section_www;
extern const struct config_section config_section_submission;
extern const struct config_section config_section_hook;

#endif
