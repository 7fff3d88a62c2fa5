"""The network, its gradient and its training: numpy and scipy only.

This page is the glossary; it holds no code. One name has one meaning in every
module below.

Arrays
------
``X`` : (n_samples, n_features), C-contiguous array or CSR matrix, never written to
``y`` : (n_samples, n_targets), targets as floats, never written to
``weight`` : (n_samples,) or None, sample weights whose mean over the training rows of
    all calls is one; None means all one
``rows`` : slice or 1-D index array, the rows of ``X`` that one evaluation sees
``params`` : (n_params,), all weight matrices in layer order, then all biases, then the
    gains of normalised layers, then the scales of features
``grad`` : (n_params,), dJ/dparams in the same order; overwritten by an evaluation, and
    by a pass but for the first weights, where it may add (`passes.Pass.n_added`)
``W``, ``b`` : (fan_in, fan_out) and (fan_out,), views into a flat vector; in the last
    layer of several members with a first axis for these
``z`` : (rows, fan_out), pre-activation, ``a_below @ W + b``
``a`` : (rows, fan_out), activation, ``f(z)``
``raw`` : (rows, n_outputs), ``z`` of the last layer, before the link; some losses have
    several outputs for one target
``delta`` : (rows, fan_out), dJ/dz
``masks`` : hidden layer, from zero, to what dropout multiplies its ``a`` with

All but ``rows`` share one dtype, float32 or float64, that of ``params``.

Who owns what
-------------
`network.Network` describes, and owns no array.
`passes.Pass` computes. It refers to ``params``, to their gradient, and to the buffers
``z``, ``a`` and ``delta``, which are those of an `Objective` or of one prediction. What
``forward`` returns is one of them: valid until the next call.
`dropout.Thinning` owns the masks of a pass of training.
`state.TrainingState` owns ``params`` and everything else that must survive
from one call of ``partial_fit`` to the next.
Activations, losses, optimizers and schedules are frozen dataclasses of
hyperparameters; they write only into the arrays that they are handed.

Words
-----
step : one update of the parameters
epoch : one pass over the training rows
solver : how many rows one step sees
optimizer : what a step does with the gradient
rate : the learning rate of one step
member : one of several networks that share their hidden layers
"""
