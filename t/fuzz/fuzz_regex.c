
/*
 * A byte of flags, a pattern, a newline, a subject: compiled and matched
 * within limits, with captures inside the subject.
 */

#include <stdlib.h>

#include "torii_regex.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
fuzz_match(torii_regex_t *re, torii_str_t subject)
{
    int          i;
    torii_str_t  captures[TORII_REGEX_CAPTURES];

    if (torii_regex_match(re, subject, captures) != TORII_OK) {
        return;
    }

    for (i = 0; i < TORII_REGEX_CAPTURES; i++) {
        if (captures[i].len
            && (captures[i].data < subject.data
                || captures[i].data + captures[i].len
                   > subject.data + subject.len))
        {
            abort();
        }
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char            error[128];
    unsigned        flags;
    torii_str_t     pattern, subject;
    const uint8_t  *p;
    torii_regex_t  *re;

    static torii_regex_cache_t  *cache;

    if (size == 0) {
        return 0;
    }

    if (cache == NULL) {
        cache = torii_regex_cache_create(16);
    }

    flags = data[0] & (TORII_REGEX_CASELESS|TORII_REGEX_ANCHORED);
    data++;
    size--;

    p = memchr(data, '\n', size);

    pattern.data = (unsigned char *) data;
    pattern.len = (p != NULL) ? (size_t) (p - data) : size;

    subject.data = (p != NULL) ? (unsigned char *) p + 1 : NULL;
    subject.len = (p != NULL) ? size - pattern.len - 1 : 0;

    re = torii_regex_get(cache, pattern, flags);

    if ((torii_regex_check(pattern, flags, error) == TORII_OK)
        != (re != NULL))
    {
        abort();
    }

    if (re != NULL) {
        fuzz_match(re, subject);
    }

    return 0;
}
