import CIDN
import CPassword
