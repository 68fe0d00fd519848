/// A number with so many decimals, without Foundation. One beyond 10¹² is written as 0: no duration or size here is.
public func decimal(_ number: Double, places: Int) -> String {
  let number = abs(number) < 1e12 ? number : 0
  var factor = 1.0
  for _ in 0..<places { factor *= 10 }
  let scaled = Int64((abs(number) * factor).rounded())
  let whole = scaled / Int64(factor)
  let sign = number < 0 && scaled > 0 ? "-" : ""
  if places == 0 { return sign + String(whole) }
  let fraction = String(scaled % Int64(factor))
  return sign + String(whole) + "." + String(repeating: "0", count: places - fraction.count) + fraction
}
