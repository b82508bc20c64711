
/*
 * How to reach the API server and who we are: from a kubeconfig file (client
 * authentication API, "Organizing Cluster Access Using kubeconfig Files") or
 * from the folder that a pod finds its service account in.
 */

#ifndef _INGRESS_KUBECONFIG_H_INCLUDED_
#define _INGRESS_KUBECONFIG_H_INCLUDED_


#include "torii_tree.h"


typedef struct {
    torii_str_t     server;         /* "https://10.0.0.1:6443", no "/" at end */
    torii_str_t     tls_name;       /* tls-server-name, or empty */
    torii_str_t     ca;             /* PEM, or empty with ca_file */
    torii_str_t     ca_file;
    torii_str_t     cert;           /* PEM of the client, or empty */
    torii_str_t     cert_file;
    torii_str_t     key;
    torii_str_t     key_file;
    torii_str_t     token;
    torii_str_t     token_file;     /* read again when it changes */
    torii_str_t     namespace;      /* of the context or the pod */
    unsigned        insecure:1;     /* insecure-skip-tls-verify: true */
} ingress_kubeconfig_t;


/*
 * text is the file; context: NULL for current-context.  Relative file names
 * count from dir.  TORII_ERROR: error says what is wrong and what to do (exec
 * and auth-provider plugins are not supported; "insecure" must be allowed by
 * the caller).  All strings live in the arena.
 */
int ingress_kubeconfig_parse(torii_arena_t *a, torii_str_t text,
    const char *dir, const char *context, ingress_kubeconfig_t *config,
    char error[256]);

/*
 * In a pod: host and port are $KUBERNETES_SERVICE_HOST and _PORT (IPv6 gets
 * its brackets), root is "/var/run/secrets/kubernetes.io/serviceaccount".
 * namespace: the content of root/namespace.
 */
int ingress_kubeconfig_pod(torii_arena_t *a, const char *host,
    const char *port, const char *root, torii_str_t namespace,
    ingress_kubeconfig_t *config, char error[256]);


#endif /* _INGRESS_KUBECONFIG_H_INCLUDED_ */
