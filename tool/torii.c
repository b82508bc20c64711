
/*
 * torii: tells what Torii makes of Kubernetes objects, with or without a
 * gateway running.
 */

#include <signal.h>

#include "torii_tool.h"


typedef struct {
    const char    *name;
    int          (*run)(int argc, char **argv);
    const char    *synopsis;
    const char    *purpose;
    const char    *help;
} torii_command_t;


static int torii_help(int argc, char **argv);
static int torii_version(int argc, char **argv);
static int torii_help_all(void);
static const torii_command_t *torii_command(const char *name);


static const torii_command_t  torii_commands[] = {

    { "check", torii_check,
      "PATH... [OPTION]...",
      "say what is wrong in files of objects",

      "Reads files and folders of YAML and JSON (\"-\" is standard input),\n"
      "makes the routing table that the gateway would make of them, and\n"
      "prints what is not served, or not as its author may think: conflicts\n"
      "of hosts and paths, unknown and misspelt annotations, bad values,\n"
      "missing Services and Secrets, outdated API versions.\n"
      "\n"
      "  -c, --class NAME      serve Ingresses of this class only; may be\n"
      "                        repeated.  Without it all of them are served\n"
      "  -g, --config NS/NAME  the ConfigMap with settings of the gateway\n"
      "  -i, --issuer KIND/NAME\n"
      "                        the default issuer of certificates\n"
      "  -l, --selector LABELS serve Ingresses of namespaces with these\n"
      "                        labels only, as Namespace objects have them\n"
      "  -j, --json            print a JSON array of findings\n"
      "  -q, --quiet           print errors only, and no summary\n"
      "\n"
      "Exits with 1 if there is an error, else with 0.\n" },

    { "explain", torii_explain,
      "HOST PATH [OPTION]...  or  URL [OPTION]...",
      "say which route answers a request, and why",

      "Looks the request up as a worker does.  A URL gives the scheme too;\n"
      "else it is https if the host has a certificate, and http if not.\n"
      "\n"
      "  -m, --manifests PATH  in objects of this file or folder; may be\n"
      "                        repeated\n"
      "  -t, --table FILE      in this routing table\n"
      "  -s, --state DIR       in the newest table of a torii_state folder,\n"
      "                        by default /var/lib/torii\n"
      "  -c, --class NAME      with --manifests: of this class only\n"
      "  -g, --config NS/NAME  with --manifests: the gateway's ConfigMap\n"
      "  -l, --selector LABELS with --manifests: of these namespaces only\n"
      "  -j, --json            print a JSON object\n"
      "\n"
      "Exits with 1 if the answer is an error (404, 503), else with 0.\n" },

    { "annotations", torii_annotations,
      "[NAME] [OPTION]...",
      "list the annotations that are known",

      "Lists annotations of Ingresses, with what becomes of each: enforced,\n"
      "not yet (known; access is denied where passing it over would open\n"
      "something), never.  With a NAME, whole or in part, only those.\n"
      "\n"
      "  -c, --certificates    list those about certificates instead\n"
      "  -g, --config          list the keys of the ConfigMap instead\n"
      "  -l, --logins          list Torii's own about logins instead\n"
      "  -j, --json            print a JSON array\n" },

    { "certificates", torii_certificates,
      "[list | renew NS/SECRET | revoke NS/SECRET | rollover ISSUER] "
      "[OPTION]...",
      "list and renew the certificates that a gateway gets",

      "Lists them with their state, and the reason of the last failure.  The\n"
      "other words ask a running gateway to get a new certificate at once, to\n"
      "have the present one revoked (and to get a new one), or to change the\n"
      "key of an account; ISSUER is ClusterIssuer/NAME or Issuer/NS/NAME.\n"
      "\n"
      "  -s, --state DIR       the torii_state folder, by default\n"
      "                        /var/lib/torii\n"
      "  -r, --reason N        of a revocation (RFC 5280): 0, 1 (the key is\n"
      "                        known to others), 4 (superseded), 5 (given up)\n"
      "  -j, --json            print a JSON object\n" },

    { "dns", torii_dns,
      "plan PATH... | apply PATH... | status | ack [NS/SECRET [ZONE]] | "
      "adopt NS/SECRET | refresh  [OPTION]...",
      "show and do what a gateway does in DNS",

      "\"plan\" reads objects from files and folders, as \"torii check\"\n"
      "does, and the zones of each Secret of type torii/dns-provider among\n"
      "them, and prints what would be changed there and why; \"apply\" does\n"
      "it, too.  They need no gateway.  The other words are for one that\n"
      "runs: its state, to let pass the deletions that the brake holds, to\n"
      "take over records, and to read all zones anew.\n"
      "\n"
      "  -a, --addresses LIST  of the gateway, as torii_publish has them\n"
      "  -p, --private LIST    of the gateway, for providers of private zones\n"
      "  -o, --owner NAME      whose records they are, as torii_dns has it\n"
      "  -f, --from NAME       take over records of this owner\n"
      "  -u, --unowned         take over records of nobody\n"
      "  -H, --host NAME       take over this host only\n"
      "  -k, --ack             without the brake on deletions\n"
      "  -c, --class NAME      serve Ingresses of this class only\n"
      "  -g, --config NS/NAME  the ConfigMap with settings of the gateway\n"
      "  -l, --selector LABELS serve Ingresses of these namespaces only\n"
      "  -s, --state DIR       the torii_state folder, by default\n"
      "                        /var/lib/torii; if given, it has plan's owner\n"
      "  -j, --json            print a JSON object\n"
      "\n"
      "\"plan\" exits with 0 if there is nothing to do, 2 if there is, 1\n"
      "if something is wrong; the others with 1 if they are not done, else\n"
      "0.\n" },

    { "version", torii_version, "", "print the version",
      "Prints the version of the tool and of the routing tables it reads.\n" },

    { "help", torii_help, "[COMMAND]", "tell more about a command",
      "Without a COMMAND: lists all.\n" },

    { NULL, NULL, NULL, NULL, NULL }
};


int
main(int argc, char **argv)
{
    const char             *name;
    const torii_command_t  *command;

    (void) signal(SIGPIPE, SIG_IGN);

    if (argc < 2) {
        return torii_usage(NULL, TORII_EXIT_USAGE);
    }

    name = argv[1];

    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        name = "help";

    } else if (strcmp(name, "--version") == 0 || strcmp(name, "-v") == 0
               || strcmp(name, "-V") == 0)
    {
        name = "version";
    }

    command = torii_command(name);

    if (command == NULL) {
        fprintf(stderr, "torii: there is no command \"%s\"\n", name);
        return torii_usage(NULL, TORII_EXIT_USAGE);
    }

    if (argc > 2
        && (strcmp(argv[2], "--help") == 0 || strcmp(argv[2], "-h") == 0))
    {
        return torii_usage(command->name, TORII_EXIT_OK);
    }

    return command->run(argc - 1, argv + 1);
}


static const torii_command_t *
torii_command(const char *name)
{
    const torii_command_t  *command;

    for (command = torii_commands; command->name; command++) {
        if (strcmp(command->name, name) == 0) {
            return command;
        }
    }

    return NULL;
}


int
torii_usage(const char *name, int code)
{
    torii_buf_t             out;
    const torii_command_t  *command;

    command = name ? torii_command(name) : NULL;

    if (code != TORII_EXIT_OK) {
        fprintf(stderr, "usage: torii %s %s\n"
                "\"torii help%s%s\" tells more\n",
                command ? command->name : "COMMAND",
                command ? command->synopsis : "[ARGUMENT]...",
                command ? " " : "", command ? command->name : "");
        return code;
    }

    if (command == NULL) {
        return torii_help_all();
    }

    memset(&out, 0, sizeof(out));

    torii_buf_printf(&out, "torii %s - %s\n\nusage: torii %s %s\n\n%s",
                     command->name, command->purpose, command->name,
                     command->synopsis, command->help);

    return torii_print(&out);
}


static int
torii_help_all(void)
{
    torii_buf_t             out;
    const torii_command_t  *command;

    memset(&out, 0, sizeof(out));

    torii_buf_adds(&out, "torii - what the gateway makes of Kubernetes "
                   "objects\n\nusage: torii COMMAND [ARGUMENT]...\n\n");

    for (command = torii_commands; command->name; command++) {
        torii_buf_printf(&out, "  %-14s%s\n", command->name, command->purpose);
    }

    torii_buf_adds(&out, "\nExit codes: 0 all is well, 1 there are errors in "
                   "what was looked at,\n2 the command could not be "
                   "understood or done.\n");

    return torii_print(&out);
}


static int
torii_help(int argc, char **argv)
{
    if (argc > 1 && torii_command(argv[1]) == NULL) {
        fprintf(stderr, "torii: there is no command \"%s\"\n", argv[1]);
        return torii_usage(NULL, TORII_EXIT_USAGE);
    }

    return torii_usage(argc > 1 ? argv[1] : NULL, TORII_EXIT_OK);
}


static int
torii_version(int argc, char **argv)
{
    torii_buf_t  out;

    memset(&out, 0, sizeof(out));

    torii_buf_printf(&out, "torii %s, routing tables of version %u\n",
                     TORII_VERSION, INGRESS_TABLE_VERSION);

    return torii_print(&out);
}


int
torii_print(torii_buf_t *out)
{
    size_t  written;

    written = out->len ? fwrite(out->data, 1, out->len, stdout) : 0;

    if (written != out->len || fflush(stdout) != 0) {
        torii_buf_free(out);
        return TORII_EXIT_USAGE;
    }

    torii_buf_free(out);

    return TORII_EXIT_OK;
}
