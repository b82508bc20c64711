
/*
 * Annotations under three prefixes: the words that say something, and options
 * that go to a provider as they are.
 */

#include "dnssync_source.h"


static unsigned dnssync_annotation_rank(torii_str_t *name);
static void dnssync_annotation(dnssync_says_t *says, dnssync_plan_t *plan,
    const dnssync_object_t *object, const dnssync_option_t *annotation);
static int dnssync_annotation_option(dnssync_plan_t *plan, torii_str_t name,
    torii_str_t *option);
static void dnssync_annotation_take(torii_str_t *value, unsigned *rank,
    const dnssync_option_t *annotation, unsigned new_rank,
    dnssync_plan_t *plan, const dnssync_object_t *object);


/* from the weakest to the strongest */

static const char *const  dnssync_prefixes[] = {
    "external-dns.alpha.kubernetes.io/",
    "external-dns.kubernetes.io/",
    "torii/dns-"
};

#define DNSSYNC_PREFIXES                                                      \
    (sizeof(dnssync_prefixes) / sizeof(dnssync_prefixes[0]))


/* in the order of dnssync_say_e */

static const char *const  dnssync_say_words[] = {
    "hostname", "ingress-hostname-source", "target", "ttl", "controller",
    "access", "set-identifier", "alias", "record-type", "zone"
};


/* "aws-weight" is the option "aws/weight" */

static const char *const  dnssync_option_words[] = {
    "aws-", "azure-", "cloudflare-", "coredns-", "google-", "pdns-", "scw-",
    "webhook-"
};

#define DNSSYNC_OPTION_WORDS                                                  \
    (sizeof(dnssync_option_words) / sizeof(dnssync_option_words[0]))


static const torii_str_t  dnssync_nothing = torii_null_string;


void
dnssync_says(dnssync_says_t *says, dnssync_plan_t *plan,
    const dnssync_object_t *object)
{
    uint32_t  i;

    memset(says, 0, sizeof(dnssync_says_t));

    for (i = 0; i < object->nannotations; i++) {
        dnssync_annotation(says, plan, object, &object->annotations[i]);
    }
}


/* 0: it is none of ours; else name is what comes after the prefix. */

static unsigned
dnssync_annotation_rank(torii_str_t *name)
{
    size_t  i, len;

    for (i = 0; i < DNSSYNC_PREFIXES; i++) {
        if (torii_str_starts(*name, dnssync_prefixes[i])) {
            len = strlen(dnssync_prefixes[i]);
            name->data += len;
            name->len -= len;
            return i + 1;
        }
    }

    return 0;
}


static void
dnssync_annotation(dnssync_says_t *says, dnssync_plan_t *plan,
    const dnssync_object_t *object, const dnssync_option_t *annotation)
{
    unsigned     rank;
    uint32_t     i;
    torii_str_t  name, option;

    name = annotation->name;
    rank = dnssync_annotation_rank(&name);

    if (rank == 0) {
        return;
    }

    if (torii_str_has_control(annotation->value)
        || !torii_str_is_utf8(annotation->value))
    {
        dnssync_plan_finding(plan, DNSSYNC_WHY_ANNOTATION, dnssync_nothing,
                             dnssync_nothing, object->resource,
                             "annotation \"%.*s\" is no text",
                             torii_str_arg(annotation->name));
        return;
    }

    for (i = 0; i < DNSSYNC_SAYS; i++) {
        if (torii_str_eqs(name, dnssync_say_words[i])) {
            dnssync_annotation_take(&says->values[i], &says->ranks[i],
                                    annotation, rank, plan, object);
            return;
        }
    }

    if (dnssync_annotation_option(plan, name, &option) != TORII_OK) {
        dnssync_plan_finding(plan, DNSSYNC_WHY_ANNOTATION, dnssync_nothing,
                             dnssync_nothing, object->resource,
                             "annotation \"%.*s\" is not known",
                             torii_str_arg(annotation->name));
        return;
    }

    for (i = 0; i < says->noptions; i++) {
        if (torii_str_eq(says->options[i].name, option)) {
            break;
        }
    }

    if (i == DNSSYNC_OPTIONS_MAX) {
        dnssync_plan_finding(plan, DNSSYNC_WHY_ANNOTATION, dnssync_nothing,
                             dnssync_nothing, object->resource,
                             "more options than %u", DNSSYNC_OPTIONS_MAX);
        return;
    }

    if (i == says->noptions) {
        says->options[i].name = option;
        says->noptions++;
    }

    dnssync_annotation_take(&says->options[i].value, &says->option_ranks[i],
                            annotation, rank, plan, object);
}


static int
dnssync_annotation_option(dnssync_plan_t *plan, torii_str_t name,
    torii_str_t *option)
{
    size_t  i, len;

    for (i = 0; i < DNSSYNC_OPTION_WORDS; i++) {
        len = strlen(dnssync_option_words[i]);

        if (torii_str_starts(name, dnssync_option_words[i])
            && name.len > len)
        {
            *option = torii_arena_str(plan->arena, name);
            option->data[len - 1] = '/';
            return TORII_OK;
        }
    }

    return TORII_ERROR;
}


/* The stronger prefix counts; that the weaker one says otherwise is told. */

static void
dnssync_annotation_take(torii_str_t *value, unsigned *rank,
    const dnssync_option_t *annotation, unsigned new_rank,
    dnssync_plan_t *plan, const dnssync_object_t *object)
{
    torii_str_t  new_value;

    new_value = torii_str_trim(annotation->value);

    if (*rank && !torii_str_eq(*value, new_value)) {
        dnssync_plan_finding(plan, DNSSYNC_WHY_ANNOTATION, dnssync_nothing,
                             dnssync_nothing, object->resource,
                             "annotation \"%.*s\" and the same under another "
                             "prefix disagree",
                             torii_str_arg(annotation->name));
    }

    if (new_rank > *rank) {
        *value = new_value;
        *rank = new_rank;
    }
}
