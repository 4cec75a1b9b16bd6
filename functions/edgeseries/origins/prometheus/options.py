"""What a record of a Prometheus-compatible upstream may set."""

from typing import Final

from edgeseries.origins.option import Option

OPTIONS: Final = (
    Option(key="siteLabel", default="site", description="The label whose values are sites."),
    Option(
        key="pointLabel",
        default="",
        description="The label whose values name points; empty: all labels together.",
    ),
    Option(
        key="match",
        default="",
        description='Further label matchers that a series must meet, such as `env="prod"`.',
    ),
    Option(
        key="api",
        default="auto",
        words=("auto", "export", "query"),
        description="How raw samples are read; auto: by export where it is served.",
    ),
    Option(
        key="auth",
        default="bearer",
        words=("bearer", "basic"),
        description="What the credential is: a token, or user:password.",
    ),
    Option(key="tenant", default="", description="Sent as X-Scope-OrgID (Mimir, Thanos receive)."),
)
