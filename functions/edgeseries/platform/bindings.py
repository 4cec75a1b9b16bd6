"""What the platform gives a Worker: the resources that all Workers take, and settings as they are declared.

The infra program finds what a Worker takes in the source of its bundle: resources by `env.NAME`, settings by
the names that are imported from `edgeseries/settings/workers.py`.
"""

from functools import cache
from typing import Any

from edgeseries.jobs.job import Priority
from edgeseries.platform.ffi import raw_env
from edgeseries.settings.declaration import Setting


class Bindings:
    """The bindings of the version that an isolate runs, each as the platform's own object. A setting is read
    once, when it is first asked for.
    """

    def __init__(self, env: Any) -> None:
        """Raises AttributeError that names the binding, if one of those that all Workers take is missing."""
        self.env = env
        self.stack = str(env.STACK)
        self.cache: Any = env.CACHE
        self.database: Any = env.DB
        self.analytics: Any = env.ANALYTICS
        self.job_queues: dict[str, Any] = {
            Priority.HIGH: env.JOBS_HIGH,
            Priority.NORMAL: env.JOBS_NORMAL,
            Priority.LOW: env.JOBS_LOW,
        }
        self._numbers: dict[str, int] = {}
        self._texts: dict[str, str] = {}

    def whole(self, setting: Setting) -> int:
        """A number, in the unit of its binding. Raises ValueError out of the declared bounds."""
        if setting.key not in self._numbers:
            self._numbers[setting.key] = setting.whole(self.text(setting))
        return self._numbers[setting.key]

    def text(self, setting: Setting) -> str:
        """A text or a secret; a secret that is not set is empty. Raises AttributeError if it is missing."""
        if setting.key not in self._texts:
            self._texts[setting.key] = str(getattr(self.env, setting.binding))
        return self._texts[setting.key]


@cache
def bindings_of_isolate() -> Bindings:
    """The bindings, read once: they belong to the version that an isolate runs, not to an event."""
    return Bindings(raw_env())
