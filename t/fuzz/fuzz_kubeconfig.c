
/*
 * Any bytes as a kubeconfig: what is accepted has an https server, or one that
 * gets no token across the network, and no byte that could end a header.
 */

#include <stdlib.h>

#include "ingress_kubeconfig.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
fuzz_text(torii_str_t s)
{
    if (torii_str_has_control(s) || (s.len && s.data[s.len] != '\0')) {
        abort();
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int                    rc;
    char                   error[256];
    torii_str_t            text;
    torii_arena_t         *a;
    ingress_kubeconfig_t   config;

    text.data = (unsigned char *) data;
    text.len = size;

    a = torii_arena_create(1024);

    rc = ingress_kubeconfig_parse(a, text, "/dir", NULL, &config, error);

    if (rc == TORII_OK) {
        if (!torii_str_starts(config.server, "http") || config.server.len < 8
            || error[0] != '\0' || config.namespace.len == 0
            || (config.token_file.len && config.token_file.data[0] != '/'))
        {
            abort();
        }

    } else if (error[0] == '\0' || config.server.len) {
        abort();
    }

    fuzz_text(config.server);
    fuzz_text(config.tls_name);
    fuzz_text(config.ca_file);
    fuzz_text(config.cert_file);
    fuzz_text(config.key_file);
    fuzz_text(config.token);
    fuzz_text(config.token_file);
    fuzz_text(config.namespace);

    torii_arena_destroy(a);

    return 0;
}
