"""Why a customer was chosen for a target, or an item for a customer, in words a marketer reads.

``reason``, ``words`` and the catalogues ``en`` and ``ko`` are plain Python, so that a web worker
tells stored reasons without numpy or a model library; ``explain`` finds them in the model.
"""
