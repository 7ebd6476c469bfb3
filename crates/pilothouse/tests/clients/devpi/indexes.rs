//! Indexes: made, changed in every way that the client has, refused, deleted.

use insta::assert_snapshot;

use super::Target;
use super::session::Session;

/// The owner of an index changes it.
pub(super) fn changes(target: Target<'_>) {
    let mut session = Session::of(target, "emil");
    session.types("index -c prod volatile=False title=Production");
    session.types(
        "index -c eu type=mirror mirror_url=http://pypi.example/simple/ mirror_cache_expiry=600",
    );
    session.types("index dev bases=emil/prod,root/pypi");
    session.types("index dev bases-=root/pypi");
    session.types("index dev bases+=emil/eu");
    session.types("index dev acl_upload+=fred acl_upload+=:authenticated:");
    session.types("index dev acl_upload-=fred title=Development volatile=no");
    session.types("index dev mirror_whitelist=* mirror_whitelist_inheritance=union");
    session.types("index dev title-=");
    session.types("index emil/dev description=ours custom_data=42");
    session.types("index emil/dev");
    session.types("index --no-projects eu");
    session.types("index -l");
    session.types("use -l -u emil");
    session.types("index --delete -y eu");
    session.types("index -l emil");
    assert_snapshot!(session.transcript(), @r"
    $ devpi index -c prod volatile=False title=Production
    http://localhost:3141/emil/prod?no_projects=:
      type=stage
      bases=
      volatile=False
      acl_upload=emil
      acl_toxresult_upload=:ANONYMOUS:
      mirror_whitelist=
      mirror_whitelist_inheritance=intersection
      title=Production
    $ devpi index -c eu type=mirror mirror_url=http://pypi.example/simple/ mirror_cache_expiry=600
    http://localhost:3141/emil/eu?no_projects=:
      type=mirror
      volatile=True
      mirror_cache_expiry=600
      mirror_url=http://pypi.example/simple/
    $ devpi index dev bases=emil/prod,root/pypi
    /emil/dev bases=emil/prod,root/pypi
    http://localhost:3141/emil/dev?no_projects=:
      type=stage
      bases=emil/prod,root/pypi
      volatile=True
      acl_upload=emil
      acl_toxresult_upload=:ANONYMOUS:
      mirror_whitelist=
      mirror_whitelist_inheritance=intersection
    $ devpi index dev bases-=root/pypi
    /emil/dev bases-=root/pypi
    http://localhost:3141/emil/dev?no_projects=:
      type=stage
      bases=emil/prod
      volatile=True
      acl_upload=emil
      acl_toxresult_upload=:ANONYMOUS:
      mirror_whitelist=
      mirror_whitelist_inheritance=intersection
    $ devpi index dev bases+=emil/eu
    /emil/dev bases+=emil/eu
    http://localhost:3141/emil/dev?no_projects=:
      type=stage
      bases=emil/prod,emil/eu
      volatile=True
      acl_upload=emil
      acl_toxresult_upload=:ANONYMOUS:
      mirror_whitelist=
      mirror_whitelist_inheritance=intersection
    $ devpi index dev acl_upload+=fred acl_upload+=:authenticated:
    /emil/dev acl_upload+=fred
    /emil/dev acl_upload+=:authenticated:
    http://localhost:3141/emil/dev?no_projects=:
      type=stage
      bases=emil/prod,emil/eu
      volatile=True
      acl_upload=emil,fred,:AUTHENTICATED:
      acl_toxresult_upload=:ANONYMOUS:
      mirror_whitelist=
      mirror_whitelist_inheritance=intersection
    $ devpi index dev acl_upload-=fred title=Development volatile=no
    /emil/dev acl_upload-=fred
    /emil/dev title=Development
    /emil/dev volatile=no
    http://localhost:3141/emil/dev?no_projects=:
      type=stage
      bases=emil/prod,emil/eu
      volatile=False
      acl_upload=emil,:AUTHENTICATED:
      acl_toxresult_upload=:ANONYMOUS:
      mirror_whitelist=
      mirror_whitelist_inheritance=intersection
      title=Development
    $ devpi index dev mirror_whitelist=* mirror_whitelist_inheritance=union
    /emil/dev mirror_whitelist=*
    /emil/dev mirror_whitelist_inheritance=union
    http://localhost:3141/emil/dev?no_projects=:
      type=stage
      bases=emil/prod,emil/eu
      volatile=False
      acl_upload=emil,:AUTHENTICATED:
      acl_toxresult_upload=:ANONYMOUS:
      mirror_whitelist=*
      mirror_whitelist_inheritance=union
      title=Development
    $ devpi index dev title-=
    /emil/dev title-=
    http://localhost:3141/emil/dev?no_projects=:
      type=stage
      bases=emil/prod,emil/eu
      volatile=False
      acl_upload=emil,:AUTHENTICATED:
      acl_toxresult_upload=:ANONYMOUS:
      mirror_whitelist=*
      mirror_whitelist_inheritance=union
    $ devpi index emil/dev description=ours custom_data=42
    /emil/dev description=ours
    /emil/dev custom_data=42
    http://localhost:3141/emil/dev?no_projects=:
      type=stage
      bases=emil/prod,emil/eu
      volatile=False
      acl_upload=emil,:AUTHENTICATED:
      acl_toxresult_upload=:ANONYMOUS:
      custom_data=42
      description=ours
      mirror_whitelist=*
      mirror_whitelist_inheritance=union
    $ devpi index emil/dev
    http://localhost:3141/emil/dev:
      type=stage
      bases=emil/prod,emil/eu
      volatile=False
      acl_upload=emil,:AUTHENTICATED:
      acl_toxresult_upload=:ANONYMOUS:
      custom_data=42
      description=ours
      mirror_whitelist=*
      mirror_whitelist_inheritance=union
    $ devpi index --no-projects eu
    http://localhost:3141/emil/eu?no_projects=:
      type=mirror
      volatile=True
      mirror_cache_expiry=600
      mirror_url=http://pypi.example/simple/
    $ devpi index -l
    emil/dev
    emil/eu
    emil/prod
    $ devpi use -l -u emil
    Warning: insecure http host, trusted-host will be set for pip
    emil/dev        bases=emil/prod,emil/eu volatile=False
    emil/eu         bases=                volatile=True
    emil/prod       bases=                volatile=False
    $ devpi index --delete -y eu
    About to remove: http://localhost:3141/emil/eu
    Are you sure (yes/no)? yes (autoset from -y option)
    index deleted: http://localhost:3141/emil/eu
    $ devpi index -l emil
    emil/dev
    emil/prod
    ");
}

/// What is not an index, or not one's own.
pub(super) fn refusals(target: Target<'_>) {
    let mut session = Session::of(target, "gina");
    session.types("index -c dev");
    session.types("index -c de!v");
    session.types("index -c bad bases=no/where");
    session.types("index -c bad bases=nowhere");
    session.types("index -c bad type=cloud");
    session.types("index -c bad colour=red size=10");
    session.types("index -c bad mirror_whitelist_inheritance=maybe");
    session.types("index -c bad type=mirror mirror_url=ftp://pypi.example/");
    session.types("index -c nobody/dev");
    session.types("index -c root/dev");
    session.types("index dev type=mirror");
    session.types("index dev colour=red");
    session.types("index dev bases-=");
    session.types("index dev acl_upload-=nobody");
    session.types("index root/pypi title=mine");
    session.types("index gina/none title=none");
    session.types("index gina/none");
    session.types("index -l nobody");
    session.types("use gina/none");
    session.types("use nobody/dev");
    session.types("use gina/dev");
    session.types("index --delete -y root/pypi");
    session.types("index --delete -y gina/none");
    session.types("index dev volatile=False");
    session.types("index --delete -y dev");
    session.types("user --delete -y gina");
    session.types("index dev volatile=True");
    session.types("index --delete -y gina/dev");
    session.types("use");
    assert_snapshot!(session.transcript(), @r"
    $ devpi index -c dev
    PUT http://localhost:3141/gina/dev
    409 Conflict: index 'gina/dev' exists
    [exit code 1]
    $ devpi index -c de!v
    PUT http://localhost:3141/gina/de!v
    400 Bad Request: indexname 'de!v' contains characters that aren't allowed. Any ascii symbol besides -.@_ is blocked.
    [exit code 1]
    $ devpi index -c bad bases=no/where
    PUT http://localhost:3141/gina/bad
    400 Bad Request: base index 'no/where' does not exist
    [exit code 1]
    $ devpi index -c bad bases=nowhere
    PUT http://localhost:3141/gina/bad
    400 Bad Request: invalid base index spec: 'nowhere'
    [exit code 1]
    $ devpi index -c bad type=cloud
    PUT http://localhost:3141/gina/bad
    400 Bad Request: unknown index type 'cloud'
    [exit code 1]
    $ devpi index -c bad colour=red size=10
    PUT http://localhost:3141/gina/bad
    400 Bad Request: indexconfig got unexpected keyword arguments: colour=red, size=10
    [exit code 1]
    $ devpi index -c bad mirror_whitelist_inheritance=maybe
    PUT http://localhost:3141/gina/bad
    400 Bad Request: Unknown value 'maybe' for mirror_whitelist_inheritance, must be 'intersection' or 'union'.
    [exit code 1]
    $ devpi index -c bad type=mirror mirror_url=ftp://pypi.example/
    PUT http://localhost:3141/gina/bad
    400 Bad Request: 'mirror_url' option must be a URL.
    [exit code 1]
    $ devpi index -c nobody/dev
    PUT http://localhost:3141/nobody/dev
    404 Not Found: no user 'nobody'
    [exit code 1]
    $ devpi index -c root/dev
    PUT http://localhost:3141/root/dev
    403 Forbidden: no permission to create index root/dev
    [exit code 1]
    $ devpi index dev type=mirror
    /gina/dev type=mirror
    PATCH http://localhost:3141/gina/dev
    400 Bad Request: the 'type' of an index can't be changed
    [exit code 1]
    $ devpi index dev colour=red
    /gina/dev colour=red
    PATCH http://localhost:3141/gina/dev
    400 Bad Request: indexconfig got unexpected keyword arguments: colour=red
    [exit code 1]
    $ devpi index dev bases-=
    /gina/dev bases-=
    PATCH http://localhost:3141/gina/dev
    400 Bad Request: Default values can't be removed.
    [exit code 1]
    $ devpi index dev acl_upload-=nobody
    /gina/dev acl_upload-=nobody
    PATCH http://localhost:3141/gina/dev
    400 Bad Request: The 'acl_upload' setting doesn't have value 'nobody'
    [exit code 1]
    $ devpi index root/pypi title=mine
    /root/pypi title=mine
    PATCH http://localhost:3141/root/pypi
    403 Forbidden: [no permission]
    [exit code 1]
    $ devpi index gina/none title=none
    GET http://localhost:3141/gina/none?no_projects=
    404 Not Found: The stage gina/none could not be found.
    [exit code 1]
    $ devpi index gina/none
    [exit code 1]
    $ devpi index -l nobody
    GET http://localhost:3141/nobody
    404 Not Found: no user 'nobody'
    [exit code 1]
    $ devpi use gina/none
    Warning: insecure http host, trusted-host will be set for pip
    GET http://localhost:3141/gina/none/+api
    404 Not Found: The stage gina/none could not be found.
    [exit code 1]
    $ devpi use nobody/dev
    Warning: insecure http host, trusted-host will be set for pip
    GET http://localhost:3141/nobody/dev/+api
    404 Not Found: The stage nobody/dev could not be found.
    [exit code 1]
    $ devpi use gina/dev
    Warning: insecure http host, trusted-host will be set for pip
    current devpi index: http://localhost:3141/gina/dev (logged in as gina)
    supported features: push-no-docs, push-only-docs, push-register-project, server-keyvalue-parsing
    ~/pip.conf: no config file exists
    ~/.config/uv/uv.toml: no config file exists
    ~/.pydistutils.cfg: no config file exists
    ~/.buildout/default.cfg: no config file exists
    always-set-cfg: no
    $ devpi index --delete -y root/pypi
    About to remove: http://localhost:3141/root/pypi
    Are you sure (yes/no)? yes (autoset from -y option)
    DELETE http://localhost:3141/root/pypi
    403 Forbidden: [no permission]
    [exit code 1]
    $ devpi index --delete -y gina/none
    About to remove: http://localhost:3141/gina/none
    Are you sure (yes/no)? yes (autoset from -y option)
    DELETE http://localhost:3141/gina/none
    403 Forbidden: [no permission]
    [exit code 1]
    $ devpi index dev volatile=False
    /gina/dev volatile=False
    http://localhost:3141/gina/dev?no_projects=:
      type=stage
      bases=root/pypi
      volatile=False
      acl_upload=gina
      acl_toxresult_upload=:ANONYMOUS:
      mirror_whitelist=
      mirror_whitelist_inheritance=intersection
    $ devpi index --delete -y dev
    About to remove: http://localhost:3141/gina/dev
    Are you sure (yes/no)? yes (autoset from -y option)
    DELETE http://localhost:3141/gina/dev
    403 Forbidden: index gina/dev non-volatile, cannot delete
    [exit code 1]
    $ devpi user --delete -y gina
    About to remove: http://localhost:3141/gina
    Are you sure (yes/no)? yes (autoset from -y option)
    DELETE http://localhost:3141/gina
    403 Forbidden: user 'gina' has non-volatile index: dev
    [exit code 1]
    $ devpi index dev volatile=True
    /gina/dev volatile=True
    http://localhost:3141/gina/dev?no_projects=:
      type=stage
      bases=root/pypi
      volatile=True
      acl_upload=gina
      acl_toxresult_upload=:ANONYMOUS:
      mirror_whitelist=
      mirror_whitelist_inheritance=intersection
    $ devpi index --delete -y gina/dev
    About to remove: http://localhost:3141/gina/dev
    Are you sure (yes/no)? yes (autoset from -y option)
    index deleted: http://localhost:3141/gina/dev
    $ devpi use
    Warning: insecure http host, trusted-host will be set for pip
    GET http://localhost:3141/gina/dev/+api
    404 Not Found: The stage gina/dev could not be found.
    [exit code 1]
    ");
}
