//! devpi's own quickstart guides, word for word.
//!
//! Left out is what starts a server. What they install from PyPI is `bar` here.

use insta::assert_snapshot;

use super::Target;
use super::session::Session;

/// "Quickstart: permanent install on server/laptop", from its chapter on connecting.
pub(super) fn permanent_install(target: Target<'_>) {
    let mut session = Session::new(target);
    session.types(&format!("use {}", target.url));
    session.types("login root --password ''");
    session.types("user -m root password=123");
    session.types("user -l");
    session.types("logoff");
    session.types("user -c alice password=456 email=alice@example.com");
    session.types("login alice --password=456");
    session.types("index -c dev bases=root/pypi");
    session.types("use alice/dev");
    session.types("use --set-cfg alice/dev");
    session.types("use --always-set-cfg=yes");
    session.types("use -l");
    for file in [
        "pip.conf",
        ".config/uv/uv.toml",
        ".pydistutils.cfg",
        ".buildout/default.cfg",
    ] {
        session.reads(file);
    }
    assert_snapshot!(session.transcript(), @r#"
    $ devpi use http://localhost:3141
    Warning: insecure http host, trusted-host will be set for pip
    using server: http://localhost:3141/ (not logged in)
    no current index: type 'devpi use -l' to discover indices
    ~/pip.conf: no config file exists
    ~/.config/uv/uv.toml: no config file exists
    ~/.pydistutils.cfg: no config file exists
    ~/.buildout/default.cfg: no config file exists
    always-set-cfg: no
    $ devpi login root --password ''
    logged in 'root', credentials valid for 10.00 hours
    $ devpi user -m root password=123
    /root changing password: ********
    user modified: root
    $ devpi user -l
    root
    $ devpi logoff
    login information deleted
    $ devpi user -c alice password=456 email=alice@example.com
    user created: alice
    $ devpi login alice --password=456
    logged in 'alice', credentials valid for 10.00 hours
    $ devpi index -c dev bases=root/pypi
    http://localhost:3141/alice/dev?no_projects=:
      type=stage
      bases=root/pypi
      volatile=True
      acl_upload=alice
      acl_toxresult_upload=:ANONYMOUS:
      mirror_whitelist=
      mirror_whitelist_inheritance=intersection
    $ devpi use alice/dev
    Warning: insecure http host, trusted-host will be set for pip
    current devpi index: http://localhost:3141/alice/dev (logged in as alice)
    supported features: push-no-docs, push-only-docs, push-register-project, server-keyvalue-parsing
    ~/pip.conf: no config file exists
    ~/.config/uv/uv.toml: no config file exists
    ~/.pydistutils.cfg: no config file exists
    ~/.buildout/default.cfg: no config file exists
    always-set-cfg: no
    $ devpi use --set-cfg alice/dev
    Warning: insecure http host, trusted-host will be set for pip
    current devpi index: http://localhost:3141/alice/dev (logged in as alice)
    supported features: push-no-docs, push-only-docs, push-register-project, server-keyvalue-parsing
    ~/pip.conf: http://localhost:3141/alice/dev/+simple/
    ~/.config/uv/uv.toml: http://localhost:3141/alice/dev/+simple/
    ~/.pydistutils.cfg: http://localhost:3141/alice/dev/+simple/
    ~/.buildout/default.cfg: http://localhost:3141/alice/dev/+simple/
    always-set-cfg: no
    $ devpi use --always-set-cfg=yes
    Warning: insecure http host, trusted-host will be set for pip
    current devpi index: http://localhost:3141/alice/dev (logged in as alice)
    supported features: push-no-docs, push-only-docs, push-register-project, server-keyvalue-parsing
    ~/pip.conf: http://localhost:3141/alice/dev/+simple/
    ~/.config/uv/uv.toml: http://localhost:3141/alice/dev/+simple/
    ~/.pydistutils.cfg: http://localhost:3141/alice/dev/+simple/
    ~/.buildout/default.cfg: http://localhost:3141/alice/dev/+simple/
    always-set-cfg: yes
    $ devpi use -l
    Warning: insecure http host, trusted-host will be set for pip
    alice/dev       bases=root/pypi       volatile=True
    root/pypi       bases=                volatile=False
    $ cat ~/pip.conf
    [global]
    index_url = http://localhost:3141/alice/dev/+simple/
    trusted-host = 127.0.0.1
    [search]
    index = http://localhost:3141/alice/dev/
    $ cat ~/.config/uv/uv.toml
    index-url = "http://localhost:3141/alice/dev/+simple/"
    $ cat ~/.pydistutils.cfg
    [easy_install]
    index_url = http://localhost:3141/alice/dev/+simple/
    $ cat ~/.buildout/default.cfg
    [buildout]
    index = http://localhost:3141/alice/dev/+simple/
    "#);
}

/// "Quickstart: uploading, testing, pushing releases", all of it.
pub(super) fn release_process(target: Target<'_>) {
    let mut session = Session::activated(target);
    session.types(&format!("use {}", target.url));
    session.types("user -c testuser password=123");
    session.types("login testuser --password=123");
    session.types("index -c dev bases=root/pypi");
    session.types("use testuser/dev");
    session.hears("install bar", "Successfully installed bar-1.1");
    session.types("use");
    let example = session.tree("example", "1.0");
    session.types_in(&example, "upload");
    session.hears("install example", "Successfully installed example-1.0");
    session.hears("test example", "congratulations :)");
    session.types("list example");
    session.types("index -c staging volatile=False");
    session.types("push example==1.0 testuser/staging");
    session.types("use");
    session.types("use testuser/staging");
    session.types("list example");
    session.types("push example-1.0 pypi:testrun");
    session.types("index testuser/dev bases=testuser/staging");
    session.types("use testuser/dev");
    session.types("list example");
    session.types("remove -y example");
    session.types("list example");
    assert_snapshot!(session.transcript(), @r"
    $ devpi use http://localhost:3141
    Warning: insecure http host, trusted-host will be set for pip
    using server: http://localhost:3141/ (not logged in)
    no current index: type 'devpi use -l' to discover indices
    venv for install/set commands: ~/docenv
    only setting venv pip/uv config, no global configuration changed
    ~/docenv/pip.conf: no config file exists
    ~/docenv/uv.toml: no config file exists
    always-set-cfg: no
    $ devpi user -c testuser password=123
    user created: testuser
    $ devpi login testuser --password=123
    logged in 'testuser', credentials valid for 10.00 hours
    $ devpi index -c dev bases=root/pypi
    http://localhost:3141/testuser/dev?no_projects=:
      type=stage
      bases=root/pypi
      volatile=True
      acl_upload=testuser
      acl_toxresult_upload=:ANONYMOUS:
      mirror_whitelist=
      mirror_whitelist_inheritance=intersection
    $ devpi use testuser/dev
    Warning: insecure http host, trusted-host will be set for pip
    current devpi index: http://localhost:3141/testuser/dev (logged in as testuser)
    supported features: push-no-docs, push-only-docs, push-register-project, server-keyvalue-parsing
    venv for install/set commands: ~/docenv
    only setting venv pip/uv config, no global configuration changed
    ~/docenv/pip.conf: no config file exists
    ~/docenv/uv.toml: no config file exists
    always-set-cfg: no
    $ devpi install bar
    […] Successfully installed bar-1.1 […]
    $ devpi use
    Warning: insecure http host, trusted-host will be set for pip
    current devpi index: http://localhost:3141/testuser/dev (logged in as testuser)
    supported features: push-no-docs, push-only-docs, push-register-project, server-keyvalue-parsing
    venv for install/set commands: ~/docenv
    only setting venv pip/uv config, no global configuration changed
    ~/docenv/pip.conf: no config file exists
    ~/docenv/uv.toml: no config file exists
    always-set-cfg: no
    $ devpi upload
    using workdir ~/devpi-[random]
    pre-build: cleaning dist
    --> .$ [clients]/devpi-client/bin/python -m build
    built: dist/example-1.0-py3-none-any.whl 0kb
    built: dist/example-1.0.tar.gz 1kb
    file_upload of example-1.0-py3-none-any.whl to http://localhost:3141/testuser/dev/
    file_upload of example-1.0.tar.gz to http://localhost:3141/testuser/dev/
    $ devpi install example
    […] Successfully installed example-1.0 […]
    $ devpi test example
    […] congratulations :) […]
    $ devpi list example
    http://localhost:3141/testuser/dev/+f/[digest]/example-1.0-py3-none-any.whl
    http://localhost:3141/testuser/dev/+f/[digest]/example-1.0.tar.gz
    $ devpi index -c staging volatile=False
    http://localhost:3141/testuser/staging?no_projects=:
      type=stage
      bases=
      volatile=False
      acl_upload=testuser
      acl_toxresult_upload=:ANONYMOUS:
      mirror_whitelist=
      mirror_whitelist_inheritance=intersection
    $ devpi push example==1.0 testuser/staging
       200 register example 1.0 -> testuser/staging
       200 store_releasefile testuser/staging/+f/[digest]/example-1.0-py3-none-any.whl
       200 store_releasefile testuser/staging/+f/[digest]/example-1.0.tar.gz
       200 store_toxresult testuser/staging/+f/[digest]/example-1.0.tar.gz.toxresult-[time]-0
    $ devpi use
    Warning: insecure http host, trusted-host will be set for pip
    current devpi index: http://localhost:3141/testuser/dev (logged in as testuser)
    supported features: push-no-docs, push-only-docs, push-register-project, server-keyvalue-parsing
    venv for install/set commands: ~/docenv
    only setting venv pip/uv config, no global configuration changed
    ~/docenv/pip.conf: no config file exists
    ~/docenv/uv.toml: no config file exists
    always-set-cfg: no
    $ devpi use testuser/staging
    Warning: insecure http host, trusted-host will be set for pip
    current devpi index: http://localhost:3141/testuser/staging (logged in as testuser)
    supported features: push-no-docs, push-only-docs, push-register-project, server-keyvalue-parsing
    venv for install/set commands: ~/docenv
    only setting venv pip/uv config, no global configuration changed
    ~/docenv/pip.conf: no config file exists
    ~/docenv/uv.toml: no config file exists
    always-set-cfg: no
    $ devpi list example
    http://localhost:3141/testuser/staging/+f/[digest]/example-1.0-py3-none-any.whl
    http://localhost:3141/testuser/staging/+f/[digest]/example-1.0.tar.gz
    $ devpi push example-1.0 pypi:testrun
    no pypirc file found at: ~/.pypirc
    [exit code 1]
    $ devpi index testuser/dev bases=testuser/staging
    /testuser/dev bases=testuser/staging
    http://localhost:3141/testuser/dev?no_projects=:
      type=stage
      bases=testuser/staging
      volatile=True
      acl_upload=testuser
      acl_toxresult_upload=:ANONYMOUS:
      mirror_whitelist=
      mirror_whitelist_inheritance=intersection
    $ devpi use testuser/dev
    Warning: insecure http host, trusted-host will be set for pip
    current devpi index: http://localhost:3141/testuser/dev (logged in as testuser)
    supported features: push-no-docs, push-only-docs, push-register-project, server-keyvalue-parsing
    venv for install/set commands: ~/docenv
    only setting venv pip/uv config, no global configuration changed
    ~/docenv/pip.conf: no config file exists
    ~/docenv/uv.toml: no config file exists
    always-set-cfg: no
    $ devpi list example
    http://localhost:3141/testuser/dev/+f/[digest]/example-1.0-py3-none-any.whl
    http://localhost:3141/testuser/dev/+f/[digest]/example-1.0.tar.gz
    http://localhost:3141/testuser/staging/+f/[digest]/example-1.0-py3-none-any.whl
    http://localhost:3141/testuser/staging/+f/[digest]/example-1.0.tar.gz
    $ devpi remove -y example
    About to remove the following releases and distributions
    version: 1.0
      - http://localhost:3141/testuser/dev/+f/[digest]/example-1.0-py3-none-any.whl
      - http://localhost:3141/testuser/dev/+f/[digest]/example-1.0.tar.gz
      - http://localhost:3141/testuser/dev/+f/[digest]/example-1.0.tar.gz.toxresult-[time]-0
    Are you sure (yes/no)? yes (autoset from -y option)
    $ devpi list example
    http://localhost:3141/testuser/staging/+f/[digest]/example-1.0-py3-none-any.whl
    http://localhost:3141/testuser/staging/+f/[digest]/example-1.0.tar.gz
    ");
}
