
/*
 * torii annotations: the settings that are known, and what becomes of them.
 */

#include <getopt.h>

#include "torii_tool.h"
#include "ingress_issue.h"


#define TORII_COLUMN_NAME   36
#define TORII_COLUMN_STATE  11
#define TORII_COLUMN_VALUE  16


typedef struct {
    torii_buf_t    out;
    const char    *name;         /* part of it; NULL: all */
    uint32_t       n;
    unsigned       json:1;
    unsigned       config:1;
    unsigned       certificates:1;
    unsigned       logins:1;
} torii_list_t;


static void torii_list_one(void *data, const ingress_setting_info_t *info);
static void torii_list_member(torii_buf_t *out, const char *name,
    const char *value);


static const struct option  torii_list_long[] = {
    { "certificates", no_argument, NULL, 'c' },
    { "config",       no_argument, NULL, 'g' },
    { "json",         no_argument, NULL, 'j' },
    { "logins",       no_argument, NULL, 'l' },
    { NULL, 0, NULL, 0 }
};


int
torii_annotations(int argc, char **argv)
{
    int           c;
    torii_list_t  list;

    memset(&list, 0, sizeof(list));

    while ((c = getopt_long(argc, argv, "cgjl", torii_list_long, NULL)) != -1) {

        if (c == 'c') {
            list.certificates = 1;

        } else if (c == 'g') {
            list.config = 1;

        } else if (c == 'j') {
            list.json = 1;

        } else if (c == 'l') {
            list.logins = 1;

        } else {
            return torii_usage("annotations", TORII_EXIT_USAGE);
        }
    }

    if (argc - optind > 1) {
        return torii_usage("annotations", TORII_EXIT_USAGE);
    }

    list.name = argv[optind];

    if (list.name && strncmp(list.name, INGRESS_ANNOTATION_PREFIX,
                             sizeof(INGRESS_ANNOTATION_PREFIX) - 1) == 0)
    {
        list.name += sizeof(INGRESS_ANNOTATION_PREFIX) - 1;
    }

    if (list.json) {
        torii_buf_adds(&list.out, "[");
    }

    if (list.certificates) {
        ingress_issue_each(torii_list_one, &list);

    } else if (list.logins) {
        ingress_login_each(torii_list_one, &list);

    } else if (list.config) {
        ingress_config_each(torii_list_one, &list);

    } else {
        ingress_annotation_each(torii_list_one, &list);
    }

    if (list.json) {
        torii_buf_adds(&list.out, list.n ? "\n]\n" : "]\n");
    }

    if (list.n == 0) {
        fprintf(stderr, "torii: no name has \"%s\" in it\n", list.name);
    }

    if (torii_print(&list.out) != TORII_EXIT_OK) {
        return TORII_EXIT_USAGE;
    }

    return list.n ? TORII_EXIT_OK : TORII_EXIT_FOUND;
}


static void
torii_list_one(void *data, const ingress_setting_info_t *info)
{
    torii_list_t  *list = data;

    if (list->name && strstr(info->name, list->name) == NULL) {
        return;
    }

    if (list->json) {
        torii_buf_adds(&list->out, list->n ? ",\n {" : "\n {");
        torii_list_member(&list->out, "name", info->name);
        torii_list_member(&list->out, "state", info->state);
        torii_list_member(&list->out, "scope", info->scope);
        torii_list_member(&list->out, "default", info->value);
        torii_list_member(&list->out, "bad", info->bad);
        torii_list_member(&list->out, "help", info->help);
        torii_buf_adds(&list->out, "}");

    } else {
        torii_buf_printf(&list->out, "%-*s %-*s %-*s %s\n",
                         TORII_COLUMN_NAME, info->name,
                         TORII_COLUMN_STATE, info->state,
                         TORII_COLUMN_VALUE, info->value, info->help);
    }

    list->n++;
}


static void
torii_list_member(torii_buf_t *out, const char *name, const char *value)
{
    if (out->data[out->len - 1] != '{') {
        torii_buf_adds(out, ",");
    }

    torii_buf_printf(out, "\"%s\":", name);
    torii_buf_add_json(out, torii_str(value));
}
