"""The parts that the docstrings of both estimators have in common."""

from collections.abc import Iterable
from textwrap import fill, indent
from typing import TypeVar

from skffnn._auto import AUTO
from skffnn.core.activations import ACTIVATIONS
from skffnn.core.batches import SOLVERS
from skffnn.core.layer_rates import LAYER_RATES
from skffnn.core.links import LINKS
from skffnn.core.losses import LOSSES
from skffnn.core.optimizers import OPTIMIZERS
from skffnn.core.schedules import SCHEDULES

__all__ = ["document", "textbook_value"]

T = TypeVar("T", bound=type)


def _started(init: str) -> list[str]:
    """Return the activations whose weights start with a variance of this name."""
    return [name for name, f in ACTIVATIONS.items() if f.init == init]


def _names(registry: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in registry)


# A textbook value of "auto" has a rule of its own.
RULES = {
    "early_stopping": "True from 10,001 rows on",
    "learning_rate_init": "a rate that goes by the optimizer and the solver",
}


def textbook_value(name: str) -> str:
    """Return in words what a parameter is where the recipe is not followed."""
    value = AUTO[name].textbook
    if value == "auto":
        return RULES[name]
    return f'"{value}"' if isinstance(value, str) else f"{value!r}"


def _auto(name: str) -> str:
    """Return what "auto" means for a parameter, as lines of its description."""
    words = (
        f'By the :ref:`recipe <defaults>` "auto" is {AUTO[name].rule}. '
        f"Elsewhere it is {textbook_value(name)}."
    )
    margin = " " * 4
    return fill(
        words,
        84,
        initial_indent=margin,
        subsequent_indent=margin,
        break_long_words=False,
        break_on_hyphens=False,
    )


NETWORK = f"""\
hidden_layer_sizes : int or sequence of int, default=(128, 128, 128)
    Width of each hidden layer. ``()`` makes a linear model.

activation : str, Activation, or a sequence of them, default="mish"
    What bends the output of the hidden layers: one for all, or one per layer. By
    name {{{_names(ACTIVATIONS)}}}, or an ``Activation`` of your own. The
    initial weights follow it: uniform with the variance of Glorot and Bengio
    (2010) for {_names(_started("glorot"))} and in the output layer, of LeCun et al.
    (1998) for {_names(_started("lecun"))}, of He et al. (2015) for the others.

preprocessing : "auto", transformer or None, default="auto"
    What turns X into the numbers that the network learns from. "auto" is a
    :class:`TabularPreprocessor`: columns of any kind, missing values and any scale;
    its settings go by the shape of X, see :ref:`tabular`. None trains on X as it is,
    which should then be numeric, complete and of similar scale. Any other transformer
    is cloned and fitted: its own parameters can be searched as ``preprocessing__...``.
    Its statistics are those of all rows passed to fit, a hold-out included;
    `partial_fit` takes them from its first block.

solver : {{{_names(SOLVERS)}}}, default="mini-batch"
    How many rows one step sees: all of them, `batch_size`, or one.

optimizer : str or Optimizer, default="auto"
    What a step does with the gradient. By name
    {{{_names(OPTIMIZERS)}}}, or an ``Optimizer``
    with hyperparameters of its own. "auto" is "adamw" by the :ref:`recipe <defaults>`;
    where that is not followed, "lbfgs" for ``solver="batch"``, "adam" for "mini-batch"
    and "sgd" for "stochastic". "lbfgs" and "rprop" need ``solver="batch"``."""

TRAINING = f"""\
alpha : float >= 0 or "auto", default="auto"
    Strength of the penalty ``alpha / 2 * sum ||W||^2`` on the weights, not on the
    biases. As in :class:`~sklearn.linear_model.SGDClassifier` it does not depend on
    the number of rows, the batch size or the scale of the weights.
{_auto("alpha")}

l1_ratio : float in [0, 1], default=0.0
    Share of the penalty that is on absolute values: it is
    ``alpha * ((1 - l1_ratio) / 2 * sum ||W||^2 + l1_ratio * sum |W|)``, the elastic
    net. Not for "lbfgs".

dropout : float in [0, 1), sequence of them or "auto", default="auto"
    Share of the units of a hidden layer that each step leaves out, one for all layers
    or one per layer. What is kept is divided by the share kept, and prediction leaves
    nothing out (Srivastava et al. 2014). `loss_curve_` then holds J as training met it,
    with units left out. Not for "lbfgs". See :ref:`regularisation`.
{_auto("dropout")}

input_dropout : float in [0, 1), default=0.0
    Likewise for the features; of sparse X, for the entries that are stored.

dropout_schedule : str, Schedule or callable, default="auto"
    How the shares that are left out change from step to step: a factor on `dropout` and
    `input_dropout`, by the same names as `learning_rate` but "adaptive", or a function
    ``(step, n_steps) -> factor`` with values in [0, 1]. "flat_cosine" leaves them as
    they are for half of the run of `max_iter` epochs and then lowers them to zero.
{_auto("dropout_schedule")}

layer_norm : bool, default=False
    Whether to normalise the pre-activations of each hidden layer, row by row, to mean
    zero and variance one over its units, and to multiply them by gains that are learned
    (Ba, Kiros and Hinton 2016). The biases are added afterwards.

input_scale : bool or "auto", default="auto"
    Whether each feature is multiplied by a factor that is learned with the weights, and
    faster than they where `layer_rates` says so: useless features are soon turned down
    (Holzmüller, Grinsztajn and Steinwart 2024, section 3). `coefs_` hold the product.
{_auto("input_scale")}

n_members : int >= 1 or "auto", default="auto"
    Number of members that share the hidden layers. Each has a scale of the features, if
    `input_scale` is True, and an output layer of its own, and trains on its share of
    the rows of every batch, dealt out anew in each epoch: training costs no more than
    that of one. Predictions are the mean over the members. It is a small form of TabM
    (Gorishniy, Kotelnikov and Babenko 2025). `coefs_` of the last layer, and with
    `input_scale` of the first one, then have the number of the member as a first axis
    more. Needs ``solver="mini-batch"`` and ``shuffle=True``.
{_auto("n_members")}

max_norm : float > 0 or None, default=None
    After each step, the weights that a hidden unit reads with are shortened to this
    Euclidean norm, if theirs is larger (Srivastava et al. 2014). Without effect on
    "lbfgs".

batch_size : int >= 1 or "auto", default="auto"
    Rows that one step sees. Only for ``solver="mini-batch"``. "auto" is all rows up to
    64; of more rows a sixteenth, but at least 16 and at most 256, or a little less, so
    that the last batch is at least half full.

learning_rate : str, Schedule or callable, default="auto"
    How the learning rate changes from step to step. By name
    {{{_names(SCHEDULES)}}}, or a ``Schedule`` with hyperparameters of its own.
    "invscaling" divides it by ``(step + 1) ** power_t``; "adaptive" divides it by 5
    each time training stalls for `n_iter_no_change` epochs, until it falls below
    1e-6. From "linear" on they follow a curve over `max_iter` epochs, so set that to
    the length of the run you want; see :ref:`schedules`. A function
    ``(step, n_steps) -> factor`` is asked before every step, with the number of
    steps taken so far and the number there will be after `max_iter` epochs. Without
    effect on "lbfgs" and "rprop".
{_auto("learning_rate")}

learning_rate_init : float > 0 or "auto", default="auto"
    The learning rate to begin with; for "rprop" the size of the first step.
{_auto("learning_rate_init")}
    A batch of one row counts as stochastic; see :ref:`solvers_and_optimizers` for the
    table.

layer_rates : {{"auto", {_names(LAYER_RATES)}}} or LayerRates, default="auto"
    How fast each layer learns, relative to the learning rate. "fan_in" multiplies the
    rate of a weight matrix by ``16 / sqrt(fan_in)``, that of biases by 1.6 and that of
    `input_scale` by 6, which keeps layers of any width in step. Without effect on
    "lbfgs".
{_auto("layer_rates")}

power_t : float >= 0, default=0.5
    Exponent of "invscaling".

max_iter : int >= 1 or "auto", default="auto"
    The most epochs, passes over the training rows, in one call of fit; what a schedule
    takes for the length of the run.
{_auto("max_iter")}

max_time : float > 0 or None, default=None
    Seconds of training after which no new epoch begins. A stop by time is no error and
    gives no warning.

shuffle : bool, default=True
    Whether each epoch visits the rows in a new random order.

random_state : int, RandomState instance or None, default=None
    Determines the initial weights, the order of the rows, the units that `dropout`
    leaves out and the hold-out. Pass an int for reproducible results. `partial_fit`
    and `warm_start` go on with the random stream instead of starting it again.

tol : float >= 0, default=1e-4
    An epoch improves if it lowers the loss by more than this, or by this share of the
    loss where that is above one. "lbfgs" also ends when no component of the gradient
    is larger than this.

verbose : bool or int, default=False
    Whether to print epochs, each with its loss, the score on the hold-out, the
    learning rate and the seconds so far, and in the end why training stopped. True
    or 1 prints the first ten epochs, then every tenth, and every hundredth from the
    hundredth on; 2 prints all.

warm_start : bool, default=False
    Whether `fit` goes on from the last call's parameters, optimizer state and
    random stream. Where that call converged, and neither data nor parameters have
    changed, there is nothing left to do.

checkpoint : str, path-like, Checkpoint or None, default=None
    File in which `fit` writes down, every minute or as a :class:`Checkpoint` says, how
    far it has come. The same call of fit, after the process was killed, goes on from
    there. Not for "lbfgs", with `warm_start`, or in an ensemble. See
    :ref:`checkpoints`.

momentum : float in [0, 1), default=0.9
    Share of the last step that "sgd" takes again.

nesterovs_momentum : bool, default=True
    Whether "sgd" uses Nesterov's momentum.

early_stopping : bool or "auto", default="auto"
    Whether to hold out rows, to stop when their `scoring` has not improved by `tol`
    for `n_iter_no_change` epochs, and to restore the parameters of the epoch where it
    was best, the last of equals. By the recipe patience has no limit: the run goes to
    its end, and then the best epoch is restored.
{_auto("early_stopping")}
    "auto" also does so where `X_val` and `y_val` are passed, which is the only way for
    `partial_fit`. See :ref:`early_stopping`.

scoring : str or callable, default="loss"
    What judges the hold-out: its mean loss, without the penalty; or any scorer of
    scikit-learn by name, such as "roc_auc", or a callable
    ``scorer(estimator, X, y) -> float``, higher being better. A scorer that takes
    ``sample_weight`` gets that of the hold-out. X comes as the network sees it,
    after `preprocessing`.

validation_fraction : float in (0, 1), default=0.15
    Share of the rows that `early_stopping` holds out, stratified by class.

validation_split : splitter, list of (train, test) or None, default=None
    What chooses the hold-out in place of `validation_fraction`: a splitter such as
    :class:`~sklearn.model_selection.TimeSeriesSplit`, or a list of pairs of row
    numbers. Of its splits the last one is used. A splitter by groups needs
    ``fit(..., groups=...)``.

refit : bool, default=False
    Whether to train once more after `early_stopping`, from the same start but on all
    rows, for the number of epochs that was best. `max_time` is for the first training
    only, and if that was broken off, there is no second. Without effect where `X_val`
    is passed: then no row was held out.

beta_1 : float in [0, 1), default=0.9
    Decay of the mean gradient of "adam", "adamw" and "nadam".

beta_2 : float in [0, 1) or "auto", default="auto"
    Decay of the mean squared gradient of "adam", "adamw" and "nadam".
{_auto("beta_2")}

weight_decay : float >= 0 or "auto", default="auto"
    Share, times the learning rate, by which each step of "adamw" shrinks the weights,
    not the biases (Loshchilov and Hutter 2019), besides the penalty `alpha`.
{_auto("weight_decay")}

epsilon : float > 0, default=1e-8
    Keeps divisions finite in "adam", "adamw", "nadam", "rmsprop" and "adagrad".

n_iter_no_change : int >= 1 or "auto", default="auto"
    Epochs in a row without improvement after which training has stalled.
{_auto("n_iter_no_change")}

max_fun : int >= 1, default=15000
    The most evaluations of the objective by "lbfgs".

max_grad_norm : float > 0 or None, default=None
    A gradient of J whose Euclidean norm, over all weights and biases, is larger is
    shortened to it (Pascanu, Mikolov and Bengio 2013). Without effect on "lbfgs".

average : bool, float in (0, 1), Averaging or "auto", default="auto"
    Whether the fitted parameters, which also the hold-out judges, are the mean of those
    after each step (Polyak and Juditsky 1992). A number is the decay of an exponential
    mean, to which the last ``1 / (1 - average)`` steps contribute most. A
    ``PolynomialAverage`` of `skffnn.core.averaging` is mostly the mean of the last
    ``1 / degree`` of the run (Shamir and Zhang 2013). Training itself goes on from the
    last step, and `loss_curve_` holds J along its way. Not for "lbfgs".
{_auto("average")}"""

ATTRIBUTES = """\
coefs_ : list of ndarray of shape (fan_in, fan_out)
    Weight matrix of each layer, views into one vector. With `input_scale` that
    of the first layer is a copy, which contains the scale. With several members that of
    the last layer, and of the first one with `input_scale`, has the shape (n_members,
    fan_in, fan_out).
intercepts_ : list of ndarray of shape (fan_out,)
    Bias vector of each layer, views into the same vector; of the last layer, with
    several members, of shape (n_members, fan_out).
preprocessor_ : transformer or None
    The fitted `preprocessing`; `coefs_` act on its output. None where X goes to the
    network as it is.
layer_norm_gains_ : list of ndarray of shape (width,)
    Gains of each hidden layer, likewise; an empty list without `layer_norm`.
n_features_in_ : int
    Number of features seen during fit.
feature_names_in_ : ndarray of shape (`n_features_in_`,)
    Names of the features, where X has names that are all strings.
n_layers_ : int
    Number of layers, input and output included.
n_outputs_ : int
    Number of outputs of the network.
out_activation_ : str
    The inverse link, such as "identity", "exp", "logistic" or "softmax".
n_iter_ : int
    Epochs since the parameters were drawn, over all calls that went on from there.
t_ : int
    Rows seen in those epochs.
loss_ : float
    J in the last epoch, averaged over its steps.
loss_curve_ : list of float
    J in each epoch.
best_loss_ : float
    The lowest of them.
validation_scores_ : list of float or None
    `scoring` of the hold-out after each epoch; by default the values of
    `validation_loss_curve_` with their signs changed. A call of `partial_fit` without
    a hold-out is NaN once a later call has one; until then the list ends at the last
    call that was judged. With `refit`, those of the training before.
best_validation_score_ : float or None
    The highest of them.
validation_loss_curve_ : list of float or None
    Mean loss of the hold-out after each epoch, whatever the `scoring`; with several
    members each row is asked of one of them.
best_epoch_ : int or None
    The epoch, counted from one, that the hold-out found best, and whose parameters
    were restored; with `refit` the number of epochs of the second training.
do_early_stopping_ : bool
    Whether a hold-out judged training.
rate_halvings_ : list of int
    The epochs, counted from one, that diverged and began again at half the rate, each
    as often as it did; with `refit`, those of the second training.
stop_reason_ : str
    Why training ended: "converged", "early_stopping", "max_iter", "max_fun",
    "max_time", "line_search", "callback", "interrupted" or "diverged".
optimizer_ : Optimizer
    The optimizer and its hyperparameters.
batch_size_ : int
    Rows that one step saw.
learning_rate_init_ : float or None
    The learning rate that training began with; None for "lbfgs".
max_iter_ : int
    `max_iter` as it was used.
alpha_ : float
    `alpha` as it was used.
learning_rate_ : str, Schedule or callable
    `learning_rate` as it was used.
layer_rates_ : str or LayerRates
    `layer_rates` as it was used.
dropout_ : float or sequence of them
    `dropout` as it was used.
dropout_schedule_ : str, Schedule or callable
    `dropout_schedule` as it was used.
input_scale_ : bool
    `input_scale` as it was used.
n_members_ : int
    `n_members` as it was used.
average_ : bool, float or Averaging
    `average` as it was used.
n_iter_no_change_ : int or float
    `n_iter_no_change` as it was used; infinite where a run ends as planned."""

REFERENCES = """\
Rumelhart, Hinton and Williams (1986). Learning representations by back-propagating
errors. Nature 323.

Bishop (2006). Pattern Recognition and Machine Learning. Springer.

Glorot and Bengio (2010). Understanding the difficulty of training deep feedforward
neural networks. AISTATS.

He, Zhang, Ren and Sun (2015). Delving deep into rectifiers. ICCV.

Kingma and Ba (2015). Adam: a method for stochastic optimization. ICLR.

Holzmüller, Grinsztajn and Steinwart (2024). Better by default: strong pre-tuned MLPs
and boosted trees on tabular data. NeurIPS. arXiv 2407.04491."""

NOTES = """\
X may be a DataFrame or an array as it is: with ``preprocessing="auto"`` columns of any
kind and scale, with gaps, become numbers that a network learns from. The computation is
then done in float32, up to 64 rows in the precision of X, and predictions are float64.
With ``preprocessing=None`` the computation is done in the precision of X, and
float32 stays float32.

While `solver`, `optimizer` and `learning_rate` have their defaults, `fit` follows a
recipe: parameters that are "auto" go together, and by the number of rows.
:ref:`defaults` has the whole of it. `partial_fit`, and `fit` with `warm_start`, do not
follow it."""

PARTS = {
    "network": NETWORK,
    "training": TRAINING,
    "attributes": ATTRIBUTES,
    "references": REFERENCES,
    "notes": NOTES,
}


CHOICES = {
    "regression_losses": _names(n for n, by in LOSSES.items() if "continuous" in by),
    "classification_losses": _names(n for n, by in LOSSES.items() if "binary" in by),
    "output_links": _names(["auto", *LINKS]),
}


def document(cls: T) -> T:
    """Fill the parts above in where the docstring of `cls` names them in braces."""
    doc = cls.__doc__ or ""
    for name, part in PARTS.items():
        doc = doc.replace(f"    {{{name}}}", indent(part, "    "))
    for name in AUTO:
        doc = doc.replace(f"    {{auto {name}}}", indent(_auto(name), "    "))
    for name, choice in CHOICES.items():
        doc = doc.replace(f"{{{name}}}", f"{{{choice}}}")
    cls.__doc__ = doc
    return cls
