"Neural State Transition Machines: sequence models with explicit states that tokens move, write and read."
__version__ = "0.1.0"
from .gates import StatePropagator, StateCommunication, chrono_bias
from .router import TokenToStateRouter
from .states import StateManager, resize_states, dynamic_modules
from .attention import HybridAttention
from .transition import Transition, set_sharpness, anneal_schedule
from .memory import ReadHead, WriteHead
from .layer import NSMLayer
from .sequence import NSTM, NSTMState
from .models import SimpleNSM, NSTMClassifier, NSTMLM, SequenceClassifier, SequenceLM
