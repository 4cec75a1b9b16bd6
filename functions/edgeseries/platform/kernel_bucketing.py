"""The kernel on Workers: the Bucketing port through `kernel.mjs` beside this file."""

from pyodide.ffi import JsException

from edgeseries.blocks.kernel_faults import LEFT_TO_PYTHON, NO_ROOM, error_of
from edgeseries.platform.ffi import js_bytes, python_bytes
from edgeseries.platform.kernel import fault_of, kernel_module
from edgeseries.questions.bucket_words import folded_from, sections_of, words_of
from edgeseries.questions.open_bucket import OpenBucket
from edgeseries.questions.ports.bucketing import Bucketing, Fold, Folded
from edgeseries.series.image import image_of
from edgeseries.series.samples import Samples


class KernelBucketing:
    """See the port. `otherwise` folds what the kernel does not."""

    def __init__(self, otherwise: Bucketing) -> None:
        self._otherwise = otherwise

    def fold(self, fold: Fold, before: OpenBucket, samples: Samples) -> Folded:
        """See the port."""
        task, carried = js_bytes(words_of(fold, before)), js_bytes(image_of(before.carried))
        try:
            joined = kernel_module().buckets(task, carried, js_bytes(image_of(samples)))
        except JsException as error:
            number = fault_of(error)
            if number in (NO_ROOM, LEFT_TO_PYTHON):
                return self._otherwise.fold(fold, before, samples)
            raise error_of(number) from error
        return folded_from(sections_of(python_bytes(joined)))
