"""The words of --help. Must not hold any code."""

TOP = """\
Has Kibana send the alerts of Elastic Security to Parapet Security: sets up the
connector, attaches it to detection rules, and shows that it works.

The usual order:
  parapet-elastic doctor                       is everything there that it needs?
  parapet-elastic connect --webhook-url URL    set up the connector
  parapet-elastic test                         send one alert through it
  parapet-elastic attach --all                 have the rules use it
  parapet-elastic status                       which rules send, and what failed
"""

TOP_END = """\
environment (or lines of the file given with --credentials, which go first):
  KIBANA_URL           Kibana's address, as in https://kibana.example.com
  KIBANA_API_KEY       the encoded API key, or:
  KIBANA_USERNAME      a user of Kibana, and
  KIBANA_PASSWORD      the password
  KIBANA_SPACE         the space's id, if it is not "default"
  KIBANA_CA_FILE       PEM file of the authorities to trust
  KIBANA_PROXY         forward proxy
  PARAPET_TOKEN        Parapet's service token, pst_...; for connect only
  PARAPET_ELASTIC_STATE  where snapshots are kept, if not in ~/.parapet-elastic
Secrets are never options. What is missing is asked for at the terminal.

exit codes:
    0  done, or nothing was left to do
    1  it ran and found something wrong (doctor, lint, status, test)
    2  arguments, credentials or a file of yours cannot be used
    3  Kibana does not answer, or what answers is no Kibana
    4  Kibana refuses: credentials, rights, licence, allowed hosts, version
    5  some of it is done and some is not; run it again
    6  you said no, or could not be asked; nothing was changed
   70  a mistake of this program
  130  Ctrl-C; run it again

`parapet-elastic COMMAND --help` says more about each, with examples.
"""

# name: the line in the list, the paragraph, the examples
COMMANDS = {
    "doctor": (
        "is everything there that it needs?",
        """\
Looks at Kibana's version, licence, the rights of the user or key, the space and our
connector, and says what to do about each thing that is missing. It changes nothing;
with a webhook URL it creates a connector without a token for a moment, to see whether
Kibana may reach that host, and removes it again.
Ends with 0 when all is well, 1 when something is missing, 3 without Kibana, 4 when
Kibana lets nobody in.""",
        """\
  parapet-elastic doctor
  parapet-elastic doctor --webhook-url https://webhook-us.parapetsecurity.com/webhook/TENANT-ID
  parapet-elastic doctor --space soc --json
""",
    ),
    "connect": (
        "set up the connector, or bring it up to date",
        """\
Creates the webhook connector, or updates it, with Parapet's service token from
PARAPET_TOKEN, the credentials file or a prompt. From Kibana 9.2 on the token is stored
encrypted. Older ones keep it in the clear: then you are told who can read it, shown the
block for kibana.yml that avoids it, and asked; --yes alone does not answer that.
Run it again to change the URL or the token.""",
        """\
  parapet-elastic connect --webhook-url https://webhook-us.parapetsecurity.com/webhook/TENANT-ID
  parapet-elastic connect --region us --tenant-id TENANT-ID --yes
  parapet-elastic connect --region us --tenant-id TENANT-ID --token-in-clear --yes    (before 9.2)
""",
    ),
    "preview": (
        "show the body that Kibana would send",
        """\
Prints exactly the bytes that Kibana would send for a template and an alert, and nothing
else. Takes a built-in alert, the variables of a file, or with --real your newest alert;
without --real it needs no Kibana.""",
        """\
  parapet-elastic preview
  parapet-elastic preview --template bulk --sample summary
  parapet-elastic preview --template my.mustache --context variables.json
  parapet-elastic preview --real --rule-id 7d1a2b3c-0000-4000-8000-000000000000
  parapet-elastic preview --list
""",
    ),
    "lint": (
        "look for mistakes in a template",
        """\
Finds templates that give no valid JSON, variables that Kibana does not know, fields that
are always empty, and what an older Kibana cannot do. Ends with 1 if there is an error.
Needs no Kibana.""",
        """\
  parapet-elastic lint basic custom_fields bulk
  parapet-elastic lint my.mustache --kibana 8.19
""",
    ),
    "test": (
        "send one alert through the connector",
        """\
Renders a template as `preview` does, has Kibana's connector send the result to Parapet,
and explains the answer. The alert is real for Parapet: it appears there.""",
        """\
  parapet-elastic test
  parapet-elastic test --template custom_fields --real
""",
    ),
    "attach": (
        "have detection rules send their alerts",
        """\
Adds our action to the rules that do not have it, after showing rule by rule what will
change and asking. Run again, it changes nothing. `rollback` takes it back.""",
        """\
  parapet-elastic attach --all --enabled-only --dry-run
  parapet-elastic attach --tag 'OS: Windows' --only 'kibana.alert.severity: (high or critical)'
  parapet-elastic attach --name 'Suspicious *' --template bulk --frequency 1h --yes
""",
    ),
    "update": (
        "bring our action on rules up to date",
        """\
Sets template, frequency or filter (what is given) of our action on the rules that have it;
other actions stay as they are. With none of them, each of our own templates is brought to
the one of this version, others stay, and of several actions of ours one stays. Shows rule
by rule what will change, and asks.""",
        """\
  parapet-elastic update --all
  parapet-elastic update --all --template basic
  parapet-elastic update --tag prod --template custom_fields --frequency alert
""",
    ),
    "detach": (
        "have detection rules stop sending",
        """\
Takes our action off the rules; other actions stay. Shows the plan, and asks.""",
        """\
  parapet-elastic detach --name 'Noisy *'
  parapet-elastic detach --all --yes
""",
    ),
    "rollback": (
        "put rules' actions back as they were",
        """\
Puts the actions of each rule back as they were before attach, update, detach or
uninstall. Rules whose other actions have changed since are left out, and named.""",
        """\
  parapet-elastic rollback --list
  parapet-elastic rollback
  parapet-elastic rollback FILE --dry-run
""",
    ),
    "status": (
        "which rules send, and what failed lately",
        """\
Shows which rules send to Parapet, how often and with which template, which do not, and
failed actions of the last days. Ends with 1 when something needs a look, as
when no rule sends.""",
        """\
  parapet-elastic status
  parapet-elastic status --tag prod --days 1 --json
""",
    ),
    "backfill": (
        "send alerts of a period that never arrived",
        """\
Sends the alerts of a period through the connector again, as the rules' own actions would,
with the same ids, slowly, and goes on where it stopped when it is run again. Kibana keeps
no receipt of what arrived: what this command has sent is not sent again, all the rest of
the period is. They have the ids of the originals; whether Parapet drops those that it has
already is not known here. --failed-only narrows it to alerts after which an action of their
rule failed within 15 minutes. Without a selection: all rules that send.""",
        """\
  parapet-elastic backfill --from 2026-01-28T15:00:00Z --to 2026-01-28T18:00:00Z --dry-run
  parapet-elastic backfill --from 2026-01-28T15:00:00Z --to 2026-01-28T18:00:00Z --failed-only --rate 5
""",
    ),
    "uninstall": (
        "take it off all rules, and remove the connector",
        """\
Detaches from all rules of the space, then deletes the connector. Shows the plan, and asks.""",
        """\
  parapet-elastic uninstall --dry-run
  parapet-elastic uninstall --keep-connector
""",
    ),
}
