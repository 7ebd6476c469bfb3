//! Accounts and logins, and what is said when they are refused.

use insta::assert_snapshot;

use super::Target;
use super::session::Session;

/// A person makes an account, changes it and deletes it.
pub(super) fn accounts(target: Target<'_>) {
    let mut session = Session::new(target);
    session.types("user -c bob password=secret");
    session.types(&format!("use {}", target.url));
    session.types("user -c bob password=secret email=bob@example.com title=Bob");
    session.types("user -c bob password=other");
    session.types("user -c bo!b password=secret");
    session.types("user -c carl password=secret colour=red");
    session.types("user bob");
    session.types("user nobody");
    session.types("user -m bob title=Builder");
    session.types("login bob --password=secret");
    session.types("user -m bob title=Builder email=");
    session.types("user");
    session.answers("passwd", "even more secret\neven more secret\n");
    session.types("use");
    session.types("user -m root title=mine");
    session.types("user --delete -y root");
    session.types("user --delete -y nobody");
    session.types("user --delete -y bob");
    session.types("user bob");
    assert_snapshot!(session.transcript(), @r"
    $ devpi user -c bob password=secret
    could not connect to '/bob':
    Invalid URL '/bob': No scheme supplied. Perhaps you meant https:///bob?
    [exit code 1]
    $ devpi use http://localhost:3141
    Warning: insecure http host, trusted-host will be set for pip
    using server: http://localhost:3141/ (not logged in)
    no current index: type 'devpi use -l' to discover indices
    ~/pip.conf: no config file exists
    ~/.config/uv/uv.toml: no config file exists
    ~/.pydistutils.cfg: no config file exists
    ~/.buildout/default.cfg: no config file exists
    always-set-cfg: no
    $ devpi user -c bob password=secret email=bob@example.com title=Bob
    user created: bob
    $ devpi user -c bob password=other
    PUT http://localhost:3141/bob
    409 Conflict: user already exists
    [exit code 1]
    $ devpi user -c bo!b password=secret
    PUT http://localhost:3141/bo!b
    400 Bad Request: username 'bo!b' contains characters that aren't allowed. Any ascii symbol besides -.@_ is blocked.
    [exit code 1]
    $ devpi user -c carl password=secret colour=red
    PUT http://localhost:3141/carl
    400 Bad Request: Unknown keys in user config: colour
    [exit code 1]
    $ devpi user bob
    http://localhost:3141/bob:
      created=[time]
      email=bob@example.com
      title=Bob
    $ devpi user nobody
    GET http://localhost:3141/nobody
    404 Not Found: no user 'nobody'
    [exit code 1]
    $ devpi user -m bob title=Builder
    /bob changing title: Builder
    PATCH http://localhost:3141/bob
    403 Forbidden: no permission
    [exit code 1]
    $ devpi login bob --password=secret
    logged in 'bob', credentials valid for 10.00 hours
    $ devpi user -m bob title=Builder email=
    /bob changing email:
    /bob changing title: Builder
    user modified: bob
    $ devpi user
    http://localhost:3141/bob:
      created=[time]
      modified=[time]
      title=Builder
    $ devpi passwd
    /bob changing password: ********
    user modified: bob
    Warning: Password input may be echoed.
    new password for user bob:
    Warning: Password input may be echoed.
    repeat new password for user bob:
    $ devpi use
    using server: http://localhost:3141/ (logged in as bob)
    no current index: type 'devpi use -l' to discover indices
    ~/pip.conf: no config file exists
    ~/.config/uv/uv.toml: no config file exists
    ~/.pydistutils.cfg: no config file exists
    ~/.buildout/default.cfg: no config file exists
    always-set-cfg: no
    $ devpi user -m root title=mine
    /root changing title: mine
    PATCH http://localhost:3141/root
    403 Forbidden: no permission
    [exit code 1]
    $ devpi user --delete -y root
    About to remove: http://localhost:3141/root
    Are you sure (yes/no)? yes (autoset from -y option)
    DELETE http://localhost:3141/root
    403 Forbidden: [no permission]
    [exit code 1]
    $ devpi user --delete -y nobody
    About to remove: http://localhost:3141/nobody
    Are you sure (yes/no)? yes (autoset from -y option)
    DELETE http://localhost:3141/nobody
    403 Forbidden: [no permission]
    [exit code 1]
    $ devpi user --delete -y bob
    About to remove: http://localhost:3141/bob
    Are you sure (yes/no)? yes (autoset from -y option)
    user deleted: bob
    $ devpi user bob
    GET http://localhost:3141/bob
    404 Not Found: no user 'bob'
    [exit code 1]
    ");
}

/// A person logs in and out, with and without the right password.
pub(super) fn logins(target: Target<'_>) {
    let mut session = Session::of(target, "dora");
    session.types("login dora --password=wrong");
    session.types("login nobody --password=secret");
    session.types("use");
    session.types("logoff");
    session.types("logoff");
    session.types("use");
    session.types("index -c dora/other");
    session.types("login dora --password=secret");
    session.types("user -m dora password=changed");
    session.types("login dora --password=secret");
    session.types("login dora --password=changed");
    session.types("use --urls");
    session.types("use --delete");
    session.types("use");
    assert_snapshot!(session.transcript(), @r"
    $ devpi login dora --password=wrong
    POST http://localhost:3141/+login
    401 Unauthorized: user 'dora' could not be authenticated
    [exit code 1]
    $ devpi login nobody --password=secret
    POST http://localhost:3141/+login
    401 Unauthorized: user 'nobody' could not be authenticated
    [exit code 1]
    $ devpi use
    Warning: insecure http host, trusted-host will be set for pip
    current devpi index: http://localhost:3141/dora/dev (logged in as dora)
    supported features: push-no-docs, push-only-docs, push-register-project, server-keyvalue-parsing
    ~/pip.conf: no config file exists
    ~/.config/uv/uv.toml: no config file exists
    ~/.pydistutils.cfg: no config file exists
    ~/.buildout/default.cfg: no config file exists
    always-set-cfg: no
    $ devpi logoff
    login information deleted
    $ devpi logoff
    not logged in
    $ devpi use
    Warning: insecure http host, trusted-host will be set for pip
    current devpi index: http://localhost:3141/dora/dev (not logged in)
    supported features: push-no-docs, push-only-docs, push-register-project, server-keyvalue-parsing
    ~/pip.conf: no config file exists
    ~/.config/uv/uv.toml: no config file exists
    ~/.pydistutils.cfg: no config file exists
    ~/.buildout/default.cfg: no config file exists
    always-set-cfg: no
    $ devpi index -c dora/other
    you need to be logged in (use 'devpi login USER')
    [exit code 1]
    $ devpi login dora --password=secret
    logged in 'dora' at 'http://localhost:3141/dora/dev', credentials valid for 10.00 hours
    $ devpi user -m dora password=changed
    /dora changing password: ********
    user modified: dora
    $ devpi login dora --password=secret
    POST http://localhost:3141/+login
    401 Unauthorized: user 'dora' could not be authenticated
    [exit code 1]
    $ devpi login dora --password=changed
    logged in 'dora' at 'http://localhost:3141/dora/dev', credentials valid for 10.00 hours
    $ devpi use --urls
    Warning: insecure http host, trusted-host will be set for pip
    current devpi index: http://localhost:3141/dora/dev (logged in as dora)
                  login: http://localhost:3141/+login
             pypisubmit: http://localhost:3141/dora/dev/
            simpleindex: http://localhost:3141/dora/dev/+simple/
    supported features: push-no-docs, push-only-docs, push-register-project, server-keyvalue-parsing
    ~/pip.conf: no config file exists
    ~/.config/uv/uv.toml: no config file exists
    ~/.pydistutils.cfg: no config file exists
    ~/.buildout/default.cfg: no config file exists
    always-set-cfg: no
    $ devpi use --delete
    REMOVED configuration at ~/.devpi/client/current.json
    $ devpi use
    no server: type 'devpi use URL' with a URL pointing to a server or directly to an index.
    ~/pip.conf: no config file exists
    ~/.config/uv/uv.toml: no config file exists
    ~/.pydistutils.cfg: no config file exists
    ~/.buildout/default.cfg: no config file exists
    always-set-cfg: no
    ");
}
