
/*
 * Credentials and signed requests of Amazon's services.
 */

#include "dnssync_aws.h"
#include "dnssync_xml.h"


#define DNSSYNC_AWS_MACHINE_URL  "http://169.254.169.254"
#define DNSSYNC_AWS_ROLES        "/latest/meta-data/iam/security-credentials/"
#define DNSSYNC_AWS_TEXT_MAX     400


static const char *dnssync_aws_init_source(dnssync_account_t *account,
    dnssync_aws_t *aws);
static dnssync_op_step_e dnssync_aws_go_web(dnssync_op_t *op);
static dnssync_op_step_e dnssync_aws_go_machine(dnssync_op_t *op,
    dnssync_aws_ask_t *ask);
static int dnssync_aws_machine(dnssync_op_t *op, dnssync_aws_ask_t *ask,
    torii_str_t text);
static int dnssync_aws_read_web(dnssync_op_t *op, torii_str_t body);
static int dnssync_aws_read_json(dnssync_op_t *op, torii_str_t body);
static int dnssync_aws_take(dnssync_op_t *op, torii_str_t key,
    torii_str_t secret, torii_str_t session, torii_str_t until);


static const struct {
    const char  *prefix;
    const char  *url;
    const char  *region;
    const char  *domain;
} dnssync_aws_partitions[] = {
    { "cn-", "https://route53.amazonaws.com.cn", "cn-northwest-1",
      "amazonaws.com.cn" },
    { "us-gov-", "https://route53.us-gov.amazonaws.com", "us-gov-west-1",
      "amazonaws.com" },
    { "", "https://route53.amazonaws.com", "us-east-1", "amazonaws.com" }
};


static const struct {
    const char         *code;
    dnssync_trouble_e   trouble;
    const char         *advice;
} dnssync_aws_codes[] = {
    { "Throttling", DNSSYNC_TROUBLE_THROTTLED, "" },
    { "ThrottlingException", DNSSYNC_TROUBLE_THROTTLED, "" },
    { "ThrottledException", DNSSYNC_TROUBLE_THROTTLED, "" },
    { "PriorRequestNotComplete", DNSSYNC_TROUBLE_THROTTLED, "" },
    { "RequestLimitExceeded", DNSSYNC_TROUBLE_THROTTLED, "" },
    { "SlowDown", DNSSYNC_TROUBLE_THROTTLED, "" },
    { "AccessDenied", DNSSYNC_TROUBLE_DENIED, "" },
    { "AccessDeniedException", DNSSYNC_TROUBLE_DENIED, "" },
    { "ExpiredToken", DNSSYNC_TROUBLE_DENIED, "" },
    { "ExpiredTokenException", DNSSYNC_TROUBLE_DENIED, "" },
    { "IncompleteSignature", DNSSYNC_TROUBLE_DENIED, "" },
    { "InvalidClientTokenId", DNSSYNC_TROUBLE_DENIED, "" },
    { "InvalidIdentityToken", DNSSYNC_TROUBLE_DENIED, "" },
    { "MissingAuthenticationToken", DNSSYNC_TROUBLE_DENIED, "" },
    { "RequestExpired", DNSSYNC_TROUBLE_DENIED,
      ": is this machine's clock right?" },
    { "SignatureDoesNotMatch", DNSSYNC_TROUBLE_DENIED,
      ": are the key and this machine's clock right?" },
    { "UnrecognizedClientException", DNSSYNC_TROUBLE_DENIED, "" },
    { "NoSuchHostedZone", DNSSYNC_TROUBLE_SETTING, "" },
    { "InternalFailure", DNSSYNC_TROUBLE_DOWN, "" },
    { "InternalError", DNSSYNC_TROUBLE_DOWN, "" },
    { "ServiceUnavailable", DNSSYNC_TROUBLE_DOWN, "" }
};

#define DNSSYNC_AWS_CODES                                                     \
    (sizeof(dnssync_aws_codes) / sizeof(dnssync_aws_codes[0]))


const char *
dnssync_aws_init(dnssync_account_t *account)
{
    size_t          i;
    torii_str_t     region;
    dnssync_aws_t  *aws;

    aws = torii_arena_zalloc(account->arena, sizeof(dnssync_aws_t));
    account->data = aws;

    region = dnssync_account_setting(account, "aws-region");

    for (i = 0; !torii_str_starts(region, dnssync_aws_partitions[i].prefix);
         i++)
    {
        /* void */
    }

    aws->region = torii_str(dnssync_aws_partitions[i].region);
    aws->source = torii_arena_printf(account->arena, "https://sts.%.*s.%s",
                               torii_str_arg(region.len ? region
                                                        : aws->region),
                               dnssync_aws_partitions[i].domain);

    if (dnssync_account_url(account, "api-url", dnssync_aws_partitions[i].url,
                            0, &aws->url) != NULL)
    {
        return "\"api-url\" is not a URL that begins with https://";
    }

    return dnssync_aws_init_source(account, aws);
}


static const char *
dnssync_aws_init_source(dnssync_account_t *account, dnssync_aws_t *aws)
{
    const char  *setting, *fallback;

    aws->key = dnssync_account_setting(account, "aws-access-key-id");
    aws->secret = dnssync_account_setting(account, "aws-secret-access-key");
    aws->session = dnssync_account_setting(account, "aws-session-token");

    if (aws->key.len || aws->secret.len) {

        if (!dnssync_cloud_printable(aws->key)
            || !dnssync_cloud_printable(aws->secret)
            || memchr(aws->key.data, ':', aws->key.len) != NULL)
        {
            return "\"aws-access-key-id\" and \"aws-secret-access-key\" have "
                   "to be there both, and without blanks";
        }

        return NULL;
    }

    fallback = (const char *) aws->source.data;

    if (dnssync_account_setting(account, "aws-role-arn").len) {
        aws->kind = DNSSYNC_AWS_WEB;
        setting = "aws-sts-url";

        if (dnssync_account_setting(account, "aws-web-identity-token").len
            == 0)
        {
            return "\"aws-role-arn\" needs \"aws-web-identity-token\"";
        }

    } else if (dnssync_account_setting(account,
                               "aws-container-credentials-full-uri").len)
    {
        aws->kind = DNSSYNC_AWS_CONTAINER;
        setting = "aws-container-credentials-full-uri";

    } else {
        aws->kind = DNSSYNC_AWS_MACHINE;
        setting = "aws-metadata-url";
        fallback = DNSSYNC_AWS_MACHINE_URL;
    }

    return dnssync_account_url(account, setting, fallback,
                               aws->kind != DNSSYNC_AWS_WEB, &aws->source)
           ? "the URL that credentials come from is none" : NULL;
}


int
dnssync_aws_ready(const dnssync_op_t *op)
{
    const dnssync_aws_t  *aws;

    aws = op->account->data;

    return aws->kind == DNSSYNC_AWS_KEYS || dnssync_cloud_token(op);
}


void
dnssync_aws_drop(dnssync_op_t *op)
{
    dnssync_aws_t  *aws;

    aws = op->account->data;

    if (aws->kind != DNSSYNC_AWS_KEYS) {
        dnssync_cloud_token_drop(op);
    }
}


dnssync_op_step_e
dnssync_aws_go(dnssync_op_t *op, dnssync_aws_ask_t *ask)
{
    torii_str_t           token;
    const dnssync_aws_t  *aws;

    aws = op->account->data;

    switch (aws->kind) {

    case DNSSYNC_AWS_WEB:
        return dnssync_aws_go_web(op);

    case DNSSYNC_AWS_CONTAINER:
        (void) dnssync_op_http(op, "GET", "%.*s", torii_str_arg(aws->source));
        token = dnssync_account_setting(op->account,
                                        "aws-container-authorization-token");

        if (token.len) {
            dnssync_op_header(op, "Authorization: %.*s",
                              torii_str_arg(token));
        }

        return dnssync_op_send(op);

    default:
        return dnssync_aws_go_machine(op, ask);
    }
}


static dnssync_op_step_e
dnssync_aws_go_web(dnssync_op_t *op)
{
    torii_str_t           name;
    torii_buf_t          *body;
    const dnssync_aws_t  *aws;

    aws = op->account->data;
    name = dnssync_account_setting(op->account, "aws-role-session-name");

    (void) dnssync_op_http(op, "POST", "%.*s/", torii_str_arg(aws->source));
    dnssync_op_header(op, "Content-Type: application/x-www-form-urlencoded");

    body = dnssync_op_body(op);
    dnssync_cloud_form(body, "Action",
                       torii_str("AssumeRoleWithWebIdentity"));
    dnssync_cloud_form(body, "Version", torii_str("2011-06-15"));
    dnssync_cloud_form(body, "RoleArn",
                       dnssync_account_setting(op->account, "aws-role-arn"));
    dnssync_cloud_form(body, "RoleSessionName",
                       name.len ? name : torii_str("torii"));
    dnssync_cloud_form(body, "WebIdentityToken",
                       dnssync_account_setting(op->account,
                                               "aws-web-identity-token"));

    return dnssync_op_send(op);
}


/* A token, the role's name, its credentials. */

static dnssync_op_step_e
dnssync_aws_go_machine(dnssync_op_t *op, dnssync_aws_ask_t *ask)
{
    const dnssync_aws_t  *aws;

    aws = op->account->data;

    if (ask->asked == 0) {
        (void) dnssync_op_http(op, "PUT", "%.*s/latest/api/token",
                               torii_str_arg(aws->source));
        dnssync_op_header(op, "X-aws-ec2-metadata-token-ttl-seconds: 300");
        return dnssync_op_send(op);
    }

    (void) dnssync_op_http(op, "GET", "%.*s" DNSSYNC_AWS_ROLES "%.*s",
                           torii_str_arg(aws->source),
                           torii_str_arg(ask->role));
    dnssync_op_header(op, "X-aws-ec2-metadata-token: %.*s",
                      torii_str_arg(ask->token));

    return dnssync_op_send(op);
}


int
dnssync_aws_answer(dnssync_op_t *op, dnssync_aws_ask_t *ask,
    const dnssync_answer_t *answer)
{
    int                    rc;
    unsigned               tries;
    dnssync_aws_error_t    error;
    const dnssync_aws_t   *aws;

    aws = op->account->data;

    if (answer->status != 200) {
        if (aws->kind == DNSSYNC_AWS_WEB) {
            tries = DNSSYNC_CLOUD_TRIES - 1;
            dnssync_aws_error(op->arena, answer->body, &error);
            (void) dnssync_aws_fail(op, &tries, answer, &error);
            return TORII_ERROR;
        }

        (void) dnssync_op_fail_http(op, answer, "credentials of this machine "
                                    "or container");
        return TORII_ERROR;
    }

    if (aws->kind == DNSSYNC_AWS_WEB) {
        rc = dnssync_aws_read_web(op, answer->body);

    } else if (aws->kind == DNSSYNC_AWS_MACHINE && ask->asked < 2) {
        rc = dnssync_aws_machine(op, ask, torii_str_trim(answer->body));

    } else {
        rc = dnssync_aws_read_json(op, answer->body);
        ask->asked = 0;
    }

    if (rc == TORII_ERROR) {
        (void) dnssync_op_fail(op, DNSSYNC_TROUBLE_ANSWER, "%s: there are no "
                               "credentials in the answer of %.*s",
                               dnssync_cloud_where(op),
                               torii_str_arg(aws->source));
    }

    return rc;
}


static int
dnssync_aws_machine(dnssync_op_t *op, dnssync_aws_ask_t *ask,
    torii_str_t text)
{
    torii_str_t  line;

    if (ask->asked == 0) {
        if (text.len > 1024 || !dnssync_cloud_printable(text)) {
            return TORII_ERROR;
        }

        ask->token = torii_arena_str(op->arena, text);
        ask->role = torii_str("");
        ask->asked = 1;

        return TORII_AGAIN;
    }

    /* one role a line, and there is one only */

    if (!torii_str_next(&text, "\r\n", &line) || line.len > 128
        || !dnssync_cloud_printable(line)
        || memchr(line.data, '/', line.len) != NULL)
    {
        return TORII_ERROR;
    }

    ask->role = torii_arena_str(op->arena, line);
    ask->asked = 2;

    return TORII_AGAIN;
}


static int
dnssync_aws_read_web(dnssync_op_t *op, torii_str_t body)
{
    int             rc;
    torii_str_t     key, secret, session, until;
    dnssync_xml_t   x;
    torii_arena_t  *a;

    key = secret = session = until = torii_str("");
    a = torii_arena_create(4096);

    dnssync_xml_start(&x, a, body);

    while (dnssync_xml_next(&x) < DNSSYNC_XML_END) {

        if (x.depth != 4 || !torii_str_eqs(x.path[2], "Credentials")
            || x.name.data != x.path[3].data)
        {
            continue;
        }

        if (torii_str_eqs(x.name, "AccessKeyId")) {
            key = dnssync_xml_value(&x);

        } else if (torii_str_eqs(x.name, "SecretAccessKey")) {
            secret = dnssync_xml_value(&x);

        } else if (torii_str_eqs(x.name, "SessionToken")) {
            session = dnssync_xml_value(&x);

        } else if (torii_str_eqs(x.name, "Expiration")) {
            until = dnssync_xml_value(&x);
        }
    }

    rc = x.failed ? TORII_ERROR
                  : dnssync_aws_take(op, key, secret, session, until);

    torii_arena_destroy(a);

    return rc;
}


static int
dnssync_aws_read_json(dnssync_op_t *op, torii_str_t body)
{
    int             rc;
    torii_node_t   *doc;
    torii_arena_t  *a;

    a = torii_arena_create(4096);
    doc = dnssync_http_json(a, body);

    rc = dnssync_aws_take(op, dnssync_json_str(doc, "AccessKeyId"),
                          dnssync_json_str(doc, "SecretAccessKey"),
                          dnssync_json_str(doc, "Token"),
                          dnssync_json_str(doc, "Expiration"));

    torii_arena_destroy(a);

    return rc;
}


/* "SECRET", which the token is, and behind it the rest. */

static int
dnssync_aws_take(dnssync_op_t *op, torii_str_t key, torii_str_t secret,
    torii_str_t session, torii_str_t until)
{
    uint64_t        seconds;
    dnssync_aws_t  *aws;
    torii_buf_t    *room;

    if (!dnssync_cloud_printable(key) || !dnssync_cloud_printable(secret)
        || !dnssync_cloud_printable(session)
        || memchr(key.data, ':', key.len) != NULL
        || key.len + secret.len + session.len > DNSSYNC_CLOUD_TOKEN
        || dnssync_cloud_time(until, &seconds) != TORII_OK
        || seconds <= op->now / 1000)
    {
        return TORII_ERROR;
    }

    aws = op->account->data;
    room = &op->account->token_room;

    dnssync_cloud_token_drop(op);
    (void) torii_buf_room(room, key.len + secret.len + session.len);
    dnssync_cloud_token_set(op, secret, seconds - op->now / 1000);

    aws->secret = op->account->token;
    aws->key.data = room->data + room->len;
    aws->key.len = key.len;
    torii_buf_add_str(room, key);
    aws->session.data = room->data + room->len;
    aws->session.len = session.len;
    torii_buf_add_str(room, session);

    return TORII_OK;
}


/* The login is copied: another operation may renew the credentials. */

dnssync_request_t *
dnssync_aws_request(dnssync_op_t *op, const char *method, torii_str_t path)
{
    const dnssync_aws_t  *aws;
    dnssync_request_t    *r;

    aws = op->account->data;

    r = dnssync_op_http(op, method, "%.*s%.*s", torii_str_arg(aws->url),
                        torii_str_arg(path));

    r->sign = torii_arena_printf(op->arena, "aws:amz:%.*s:route53",
                                 torii_str_arg(aws->region));
    r->login = torii_arena_printf(op->arena, "%.*s:%.*s",
                                  torii_str_arg(aws->key),
                                  torii_str_arg(aws->secret));

    if (aws->session.len) {
        dnssync_op_header(op, "x-amz-security-token: %.*s",
                          torii_str_arg(aws->session));
    }

    return r;
}


/*
 * <ErrorResponse><Error><Code>, or, of a batch, <InvalidChangeBatch><Messages>
 * <Message>, several of them.
 */

void
dnssync_aws_error(torii_arena_t *a, torii_str_t body,
    dnssync_aws_error_t *error)
{
    torii_str_t    s;
    dnssync_xml_t  x;

    error->code = torii_str("");
    error->text = torii_str("");

    dnssync_xml_start(&x, a, body);

    while (dnssync_xml_next(&x) < DNSSYNC_XML_END) {

        if (x.depth == 1 && torii_str_eqs(x.name, "InvalidChangeBatch")) {
            error->code = torii_str("InvalidChangeBatch");
        }

        if (x.depth != 3) {
            continue;
        }

        if (torii_str_eqs(x.name, "Code")) {
            error->code = dnssync_xml_value(&x);

        } else if (torii_str_eqs(x.name, "Message")) {
            s = dnssync_xml_value(&x);

            if (error->text.len == 0) {
                error->text = s;

            } else if (error->text.len < DNSSYNC_AWS_TEXT_MAX) {
                error->text = torii_arena_printf(a, "%.*s; %.*s",
                                                 torii_str_arg(error->text),
                                                 torii_str_arg(s));
            }
        }
    }

    if (x.failed) {
        error->code = torii_str("");
        error->text = torii_str("");
    }

    if (error->text.len > DNSSYNC_AWS_TEXT_MAX) {
        error->text.len = DNSSYNC_AWS_TEXT_MAX;
    }
}


dnssync_op_step_e
dnssync_aws_fail(dnssync_op_t *op, unsigned *tries,
    const dnssync_answer_t *answer, const dnssync_aws_error_t *error)
{
    size_t  i;

    if (error->code.len == 0) {
        return dnssync_op_fail_http(op, answer, dnssync_cloud_where(op));
    }

    for (i = 0; i < DNSSYNC_AWS_CODES; i++) {
        if (torii_str_eqs(error->code, dnssync_aws_codes[i].code)) {
            break;
        }
    }

    if (i < DNSSYNC_AWS_CODES
        && dnssync_aws_codes[i].trouble == DNSSYNC_TROUBLE_THROTTLED)
    {
        return dnssync_cloud_wait(op, tries, answer->retry_after,
                                  error->code);
    }

    return dnssync_op_fail(op, i < DNSSYNC_AWS_CODES
                               ? dnssync_aws_codes[i].trouble
                               : answer->status >= 500
                                 ? DNSSYNC_TROUBLE_DOWN
                                 : DNSSYNC_TROUBLE_ANSWER,
                           "%s: %.*s, %.*s%s", dnssync_cloud_where(op),
                           torii_str_arg(error->code),
                           torii_str_arg(error->text),
                           i < DNSSYNC_AWS_CODES ? dnssync_aws_codes[i].advice
                                                 : "");
}
